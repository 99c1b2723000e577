"""Whether the local cluster's data folder can be used."""

import tempfile
from pathlib import Path

from scheduler.ports.cluster import Finding

_WHAT = "the data folder can be written"


def check_folder(data: Path) -> Finding:
    """Try to write a file of a few bytes into the folder; nothing of it stays."""
    try:
        with tempfile.TemporaryFile(dir=data) as trial:
            trial.write(b"medley")
            trial.flush()
    except OSError as error:
        return Finding(
            _WHAT, is_ok=False, detail=f"{data}: {error.strerror or error}", next_step="free space or give write access"
        )
    return Finding(_WHAT, is_ok=True, detail=str(data))
