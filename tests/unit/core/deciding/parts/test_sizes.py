"""Attempts of elastic jobs, by what they have and might have."""

from dataclasses import replace

from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.deciding.parts.sizes import Sizes
from scheduler.core.model.attempt import Resizing
from scheduler.core.model.group import State
from tests.builders.core import NOON, make_allocation, make_group, make_job
from tests.builders.preempting import elastic

JOB = elastic(make_job(1, workers=4), 2)
HELD = tuple(make_allocation((rank,), rank=rank) for rank in range(4))
LIVE = LiveAttempt("a", make_group(JOB, State.RUNNING), JOB, 1, HELD, NOON)


def noted(live: LiveAttempt) -> list[str]:
    """Return what an attempt is that was something else before."""
    sizes = Sizes()
    sizes.note(replace(LIVE, resizing=Resizing(surplus=HELD)))
    sizes.note(live)
    return [name for name, those in vars(sizes).items() if live.attempt in those]


def test_what_an_attempt_is_follows_from_its_workers() -> None:
    assert noted(LIVE) == ["generous"]
    assert noted(replace(LIVE, allocations=HELD[:3])) == ["unsized", "generous"]
    assert noted(replace(LIVE, allocations=HELD[:2], resizing=Resizing(surplus=HELD[2:]))) == ["unsized", "leaving"]
    assert noted(replace(LIVE, job=make_job(1, workers=4))) == []


def test_what_came_by_growing_is_lent_but_for_the_least_that_will_do() -> None:
    later = tuple(replace(one, since=2) for one in HELD[1:])
    grown = replace(LIVE, allocations=(HELD[0], *later))
    assert grown.lent == later[1:]
    assert noted(grown) == ["generous", "lending"]
    assert LIVE.lent == ()


def test_who_is_forgotten_is_nothing() -> None:
    sizes = Sizes()
    sizes.note(LIVE)
    sizes.forget("a")
    sizes.forget("a")
    assert not any(vars(sizes).values())
