"""Gangs that run and can do with fewer workers: what they can give, and the decision that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.model.decision import ResizeCause, Resized
from scheduler.core.model.group import State
from scheduler.core.model.job import Wish

if TYPE_CHECKING:
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.model.sharing.eviction import GivenTo


def may_be_resized(live: LiveAttempt) -> bool:
    """Say whether a gang can be given another size now: it runs, and is not on its way to one."""
    is_wanted = live.job.spec.elastic is not None and live.job.wish is Wish.RUN
    return is_wanted and live.group.state is State.RUNNING and not live.is_resizing


def shrunk(live: LiveAttempt, workers: int, cause: ResizeCause, given_to: GivenTo | None = None) -> Resized:
    """Return the decision that a gang goes on with so many of its workers, one of the sizes of its job."""
    group, stay = live.group, live.allocations[:workers]
    return Resized(group.id, group.version, live.attempt, live.generation + 1, stay, cause, given_to=given_to)
