"""Where the workers of an attempt run, and why there."""

import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from medley.answers import Json
from medley.screens.amounts import share_size
from medley.screens.ends import worker_state
from medley.screens.output import entry_text, print_table, say
from medley.screens.safe_text import one_line
from medley.screens.tables import Table
from medley.screens.waiting.remedies import print_remedies

_MOST_SINGLE_ROWS = 16
_MAIN_ROLE = "worker"
_SPARE = ("DEVICES", "CHIP", "ROLE")


def placement_table(attempt: Json) -> Table:
    """Return where each rank was placed."""
    head = _head(attempt)
    return Table(head, [row[:-1] for row in _rows(attempt)], numbers=("RANK",), spare=_SPARE)


def workers_table(attempt: Json) -> Table:
    """Return where each rank was placed and how it fares."""
    head = (*_head(attempt), "WORKER")
    return Table(head, _rows(attempt), numbers=("RANK",), wrapped=("WORKER",), spare=_SPARE)


def _head(attempt: Json) -> tuple[str, ...]:
    return ("RANK", *(("ROLE",) if _has_roles(attempt) else ()), "NODE", "CHIP", "DEVICES")


def _has_roles(attempt: Json) -> bool:
    return any(_role(worker) != _MAIN_ROLE for worker in attempt["workers"])


def _role(worker: Json) -> str:
    return str(worker.get("role", _MAIN_ROLE))


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


def print_prospect(found: Json) -> None:
    """Print what would become of a job: in a sentence, then rank by rank of its first gang, or replica by replica."""
    say(entry_text(f"{found['spec']['name']}: ", one_line(found["text"]), sys.stdout))
    if not found["workers"]:
        print_remedies(found["remedies"])
        return
    replicas = found.get("replicas") or {"wanted": 1}
    is_one = replicas["wanted"] == 1
    of_many = found["array"]["placed"] > 1 if found.get("array") else False
    say("\nThe first of them:" if of_many else "")
    print_table(placement_table(found) if is_one else _replicas_placed(replicas["nodes"]))
    say(f"\nWhy {'' if is_one else 'replica 0 is '}there:\n{why_there(found, sys.stdout)}")


def _replicas_placed(nodes: list[list[str]]) -> Table:
    """Return where the replicas would be, those in a row together that would be on the same nodes."""
    alike = (list(members) for _, members in groupby(enumerate(nodes), key=itemgetter(1)))
    rows = [(number_runs([number for number, _ in members]), one_line(", ".join(members[0][1]))) for members in alike]
    return Table(("REPLICA", "NODES"), rows, numbers=("REPLICA",), wrapped=("NODES",))


def _rows(attempt: Json) -> list[tuple[str, ...]]:
    """Return a row per rank; in a large gang a row for all ranks in a row that are alike but for their devices."""
    workers, has_roles = attempt["workers"], _has_roles(attempt)
    if len(workers) <= _MOST_SINGLE_ROWS:
        return [_row([worker], has_roles=has_roles) for worker in workers]
    return [_row(members, has_roles=has_roles) for members in _alike(workers, _looks)]


def _looks(worker: Json) -> tuple[str, ...]:
    return (_role(worker), worker["node"], worker["chip"] or "", str(worker.get("share")), _fares(worker))


def _alike(workers: list[Json], key: Callable[[Json], tuple[str, ...]]) -> Iterator[list[Json]]:
    for _, members in groupby(workers, key=key):
        yield list(members)


def _row(workers: list[Json], *, has_roles: bool) -> tuple[str, ...]:
    first = workers[0]
    return (
        number_runs([worker["rank"] for worker in workers]),
        *((one_line(_role(first)),) if has_roles else ()),
        one_line(first["node"]),
        one_line(first["chip"] or ""),
        _devices(workers),
        _fares(first),
    )


def _devices(workers: list[Json]) -> str:
    """Return which devices alike workers hold: `0-3`, `any 4` where the cluster picks them, `0, 50 % (40 GiB)`."""
    numbers = sorted({device for worker in workers for device in worker["devices"]})
    if share := workers[0].get("share"):
        each = " each" if len(workers) > 1 else ""
        return f"{number_runs(numbers)}, {share_size(share)}{each}"
    counted = sum(worker.get("devices_counted", 0) for worker in workers)
    return f"any {counted}" if counted else number_runs(numbers)


def _fares(worker: Json) -> str:
    """Return how a worker fares, and what the cluster said about it."""
    number = worker.get("number", worker["rank"])
    which = "" if number == worker["rank"] else f"number {number}, "
    state = f"{which}{worker_state(worker)}"
    return f"{state}: {one_line(worker['detail'])}" if worker["detail"] else state


def number_runs(numbers: list[int]) -> str:
    """Return numbers with runs drawn together: `0-3, 6`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
