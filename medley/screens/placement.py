"""Where the workers of an attempt run, and why there."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TextIO

from medley.answers import Json
from medley.screens.ends import worker_state
from medley.screens.output import entry_text
from medley.screens.safe_text import one_line
from medley.screens.tables import Table

_MOST_SINGLE_ROWS = 16


def placement_table(attempt: Json) -> Table:
    """Return where each rank was placed."""
    head = ("RANK", "NODE", "CHIP", "DEVICES")
    return Table(head, [row[:4] for row in _rows(attempt)], numbers=("RANK",), spare=("DEVICES", "CHIP"))


def workers_table(attempt: Json) -> Table:
    """Return where each rank was placed and how it fares."""
    head = ("RANK", "NODE", "CHIP", "DEVICES", "WORKER")
    return Table(head, _rows(attempt), numbers=("RANK",), wrapped=("WORKER",), spare=("DEVICES", "CHIP"))


def why_there(attempt: Json, stream: TextIO) -> str:
    """Return why each rank is where it is: one sentence for all ranks in a row of which the same is true."""
    groups = _alike(attempt["workers"], lambda worker: (worker["node"], worker["why"]))
    return "\n".join(
        entry_text(
            f"{'rank' if len(members) == 1 else 'ranks'} {number_runs([worker['rank'] for worker in members])}: ",
            f"{one_line(members[0]['node'])}, {one_line(members[0]['why'])}",
            stream,
        )
        for members in groups
        if members[0]["why"]
    )


def _rows(attempt: Json) -> list[tuple[str, ...]]:
    """Return a row per rank; in a large gang a row for all ranks in a row that are alike but for their devices."""
    workers = attempt["workers"]
    if len(workers) <= _MOST_SINGLE_ROWS:
        return [_row([worker]) for worker in workers]
    return [_row(members) for members in _alike(workers, lambda one: (one["node"], one["chip"], _fares(one)))]


def _alike(workers: list[Json], key: Callable[[Json], tuple[str, ...]]) -> Iterator[list[Json]]:
    for _, members in groupby(workers, key=key):
        yield list(members)


def _row(workers: list[Json]) -> tuple[str, ...]:
    first = workers[0]
    return (
        number_runs([worker["rank"] for worker in workers]),
        one_line(first["node"]),
        first["chip"],
        number_runs([device for worker in workers for device in worker["devices"]]),
        _fares(first),
    )


def _fares(worker: Json) -> str:
    """Return how a worker fares, and what the cluster said about it."""
    return f"{worker_state(worker)}: {one_line(worker['detail'])}" if worker["detail"] else worker_state(worker)


def number_runs(numbers: list[int]) -> str:
    """Return numbers with runs drawn together: `0-3, 6`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
