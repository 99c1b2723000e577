"""Where public data lies that benchmarks read. It is its authors', is not part of Medley, and is only read there."""

import csv
import os
from pathlib import Path

DATA = Path(__file__).parents[3] / "shared" / "data"
"""Unless MEDLEY_DATA says otherwise."""


def data_folder() -> Path:
    """Return the folder of all public data."""
    return Path(os.environ.get("MEDLEY_DATA") or DATA)


def table(benchmark: str, *path: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file in that folder. Ends the benchmark, and says why, where it cannot be read."""
    file = data_folder().joinpath(*path)
    try:
        return list(csv.DictReader(file.read_text("utf-8").splitlines()))
    except (OSError, ValueError) as error:
        message = f"{benchmark}: {type(error).__name__}: {error}; MEDLEY_DATA names the folder of public data"
        raise SystemExit(message) from error
