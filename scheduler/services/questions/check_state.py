"""Compare the state in memory with what the database holds, whenever one likes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from scheduler.core.deciding.state import SchedulerState
from scheduler.ports.views import Views
from scheduler.services.follow_changes import CHANGES_PER_READ, FollowedState, state_of

MOST_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class StateCheck:
    """What became of the comparison of two states of one moment."""

    change: int
    """The change that both stood at."""
    is_equal: bool
    digest_in_memory: str
    """SHA-256 of all that matters, in hex."""
    digest_of_database: str
    differences: tuple[str, ...]
    """Which parts differ, for people, at most 20; empty where they are equal."""


def check_state(followed: FollowedState, views: Views) -> StateCheck:
    """Return how the followed state compares with one that is built from the database now.

    Whoever decides goes on meanwhile: what was read is brought to the change that the state in memory stands at by
    the feed. Only the comparison itself keeps that state to itself, for as long as two digests take.
    Raises StorageUnavailable.
    """
    snapshot = views.snapshot()
    stored = state_of(snapshot)
    followed.follow()  # never behind what was read, from here on
    change = _catch_up(stored, views, snapshot.change, to=followed.change)
    with followed.hold() as state:
        change = _catch_up(stored, views, change, to=followed.change)
        in_memory, of_database = state.digest(), stored.digest()
        is_equal = in_memory == of_database
        differences = () if is_equal else tuple(islice(_differences(state, stored), MOST_DIFFERENCES))
    return StateCheck(change, is_equal, in_memory, of_database, differences)


def _catch_up(state: SchedulerState, views: Views, change: int, *, to: int) -> int:
    """Apply the changes after one up to another, both numbers; return the number that the state then stands at."""
    while change < to:
        for one in views.changes_after(change, limit=min(to - change, CHANGES_PER_READ)):
            state.apply(one)
            change = one.number
    return change


def _differences(memory: SchedulerState, database: SchedulerState) -> Iterator[str]:
    if memory.ledger.digest() != database.ledger.digest():
        yield "the ledger: its nodes, or what is held on them"
    if memory.clusters != database.clusters:
        yield "clusters"
    yield from _unlike("chip type", memory.chips, database.chips)
    yield from _unlike("queue", memory.sharing.queues, database.sharing.queues)
    yield from _unlike("group of chip types", memory.sharing.groups, database.sharing.groups)
    yield from _unlike("quota", memory.sharing.quotas, database.sharing.quotas)
    yield from _unlike("job", memory.jobs, database.jobs)
    yield from _unlike("group", memory.groups, database.groups)
    yield from _unlike("live attempt", memory.live, database.live)


def _unlike(noun: str, memory: Mapping[Any, object], database: Mapping[Any, object]) -> Iterator[str]:
    """Yield what is in one only, or not the same in both, by its key."""
    for key in sorted(memory.keys() | database.keys()):
        name = " of ".join(reversed(key)) if isinstance(key, tuple) else key
        if key not in database:
            yield f"{noun} {name} is in memory only"
        elif key not in memory:
            yield f"{noun} {name} is in the database only"
        elif memory[key] != database[key]:
            yield f"{noun} {name} is not the same"
