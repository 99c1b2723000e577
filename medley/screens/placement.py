"""Where the workers of an attempt run, and why there."""

from typing import Any

from medley.screens.output import printable
from medley.screens.tables import Table

Json = dict[str, Any]


def placement_table(attempt: Json) -> Table:
    """Return one row per rank: where it was placed and why there."""
    rows = [
        (
            str(worker["rank"]),
            printable(worker["node"]),
            worker["chip"],
            device_range(worker["devices"]),
            printable(worker["why"]),
        )
        for worker in attempt["workers"]
    ]
    return Table(("RANK", "NODE", "CHIP", "DEVICES", "WHY THERE"), rows, numbers=("RANK",))


def workers_table(attempt: Json) -> Table:
    """Return one row per rank with how it fares."""
    rows = [
        (
            str(worker["rank"]),
            printable(worker["node"]),
            worker["chip"],
            device_range(worker["devices"]),
            _fare(worker),
            printable(worker["why"]),
        )
        for worker in attempt["workers"]
    ]
    return Table(("RANK", "NODE", "CHIP", "DEVICES", "WORKER", "WHY THERE"), rows, numbers=("RANK",))


def device_range(devices: list[int]) -> str:
    """Return device numbers with runs drawn together: `0-3, 6`."""
    runs: list[list[int]] = []
    for device in sorted(devices):
        if runs and device == runs[-1][-1] + 1:
            runs[-1].append(device)
        else:
            runs.append([device])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _fare(worker: Json) -> str:
    if worker["exit_code"] is not None:
        ended = "" if worker["end"] in (None, "exited") else f" ({worker['end']})"
        return f"exit code {worker['exit_code']}{ended}"
    return str(worker["end"] or worker["phase"])
