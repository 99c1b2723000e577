"""Gangs that run and can do with fewer workers: what they can give, and the decision that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.decision import ResizeCause, Resized
from scheduler.core.model.group import State
from scheduler.core.model.job import Wish

if TYPE_CHECKING:
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.model.attempt import Allocation


def may_be_resized(live: LiveAttempt) -> bool:
    """Say whether a gang can be given another size now: it runs, and is not on its way to one."""
    is_wanted = live.job.spec.elastic is not None and live.job.wish is Wish.RUN
    return is_wanted and live.group.state is State.RUNNING and not live.is_resizing


def shrinkable(live: LiveAttempt) -> tuple[Allocation, ...]:
    """Return what a gang can do without: what its last ranks hold, beyond the least workers that will do.

    Whoever takes some of it takes whole steps, from the end. It is free once those workers are proven gone, which takes
    them a checkpoint.
    """
    elastic = live.job.spec.elastic
    if elastic is None or not may_be_resized(live):
        return ()
    return live.allocations[elastic.least :]


def shrunk(live: LiveAttempt, workers: int, cause: ResizeCause) -> Resized:
    """Return the decision that a gang goes on with so many of its workers, one of the sizes of its job."""
    group = live.group
    return Resized(group.id, group.version, live.attempt, live.generation + 1, live.allocations[:workers], cause)
