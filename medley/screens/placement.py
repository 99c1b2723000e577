"""Where the workers of an attempt run, and why there."""

from itertools import groupby
from typing import Any

from medley.screens.output import printable
from medley.screens.tables import Table

Json = dict[str, Any]

_MOST_SINGLE_ROWS = 16


def placement_table(attempt: Json) -> Table:
    """Return where each rank was placed and why there."""
    head = ("RANK", "NODE", "CHIP", "DEVICES", "WHY THERE")
    return Table(head, [(*row[:4], row[5]) for row in _rows(attempt)], numbers=("RANK",))


def workers_table(attempt: Json) -> Table:
    """Return where each rank was placed, how it fares, and why it is there."""
    return Table(("RANK", "NODE", "CHIP", "DEVICES", "WORKER", "WHY THERE"), _rows(attempt), numbers=("RANK",))


def _rows(attempt: Json) -> list[tuple[str, ...]]:
    """Return a row per rank; in a large gang a row for all ranks in a row that are alike but for their devices."""
    workers = attempt["workers"]
    if len(workers) <= _MOST_SINGLE_ROWS:
        return [_row([worker]) for worker in workers]
    alike = groupby(workers, key=lambda worker: (worker["node"], worker["chip"], worker["why"], _fare(worker)))
    return [_row(list(members)) for _, members in alike]


def _row(workers: list[Json]) -> tuple[str, ...]:
    first = workers[0]
    return (
        number_runs([worker["rank"] for worker in workers]),
        printable(first["node"]),
        first["chip"],
        number_runs([device for worker in workers for device in worker["devices"]]),
        _fare(first),
        printable(first["why"]),
    )


def number_runs(numbers: list[int]) -> str:
    """Return numbers with runs drawn together: `0-3, 6`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _fare(worker: Json) -> str:
    if worker["exit_code"] is not None:
        ended = "" if worker["end"] in (None, "exited") else f" ({worker['end']})"
        return f"exit code {worker['exit_code']}{ended}"
    return str(worker["end"] or worker["phase"])
