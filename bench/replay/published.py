"""What the trace's authors printed: allocated devices in percent, mean and standard deviation over their seeds."""

import csv
from pathlib import Path

from bench.replay.rows import BEST_FIT, FGD, RANDOM

SUMMARY = "published_alloc_summary.csv"
POLICIES = {"01-Random": RANDOM, "05-BestFit": BEST_FIT, "06-FGD": FGD}


def published(folder: Path) -> dict[tuple[str, str, int], float]:
    """Return the means by variant, row and percent that arrived; nothing where the folder has no such file."""
    path = folder / SUMMARY
    if not path.exists():
        return {}
    found: dict[tuple[str, str, int], float] = {}
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            row = POLICIES.get(line["sc_policy"])
            for name, value in line.items():
                percent, _, what = name.partition("_")
                if row is not None and what == "mean":
                    found[line["variant"], row, int(percent)] = float(value)
    return found
