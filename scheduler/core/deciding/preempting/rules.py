"""Who may be stopped for whom: what the operator set, and what holds whatever was set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.model.identifiers import TenantName
    from scheduler.core.model.job import Job

MOST_DOUBLINGS = 6
"""After so many preemptions a gang is left alone no longer than before: with a minute, for an hour."""


RESTS = 10
"""A gang is moved no sooner than after so many times as long as an attempt is left alone."""


class Scope(StrEnum):
    """Among whom a higher priority is a reason to stop somebody."""

    OFF = "off"
    """Nobody is stopped for anybody."""
    TENANT = "tenant"
    """Among the jobs of one tenant: priorities are each tenant's own."""
    EVERYWHERE = "everywhere"
    """Among all jobs: for where priorities mean the same to all tenants."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator says of preemption."""

    scope: Scope = Scope.TENANT
    min_run_s: float = 60.0
    """An attempt is left alone for so long after it was placed, after it began to run, and after it was given another
    size; twice as long after each time that one of its gang was preempted."""
    restart_s: float = 60.0
    """What a restart costs, in seconds of the whole gang, beside the work that was not saved."""

    def protected_until(self, live: LiveAttempt) -> datetime:
        """Return until when an attempt is left alone."""
        return _since(live) + _left_alone_for(self.min_run_s, live.group.preemptions)

    def whole_until(self, live: LiveAttempt) -> datetime:
        """Return until when a gang goes on with as many workers as it has: no work is lost when it gives some."""
        return _since(live) + timedelta(seconds=self.min_run_s)

    def settled_until(self, live: LiveAttempt) -> datetime:
        """Return until when an attempt is where it is, though its job may be moved: nobody is moved again and again."""
        return _since(live) + RESTS * (self.protected_until(live) - _since(live))

    def realm(self, job: Job) -> TenantName | None:
        """Return whose jobs may be stopped for a job of higher priority, None for everybody's."""
        return None if self.scope is Scope.EVERYWHERE else job.tenant


@lru_cache(maxsize=1_024)
def _left_alone_for(min_run_s: float, preemptions: int) -> timedelta:
    return timedelta(seconds=min_run_s * 2 ** min(preemptions, MOST_DOUBLINGS))


def _since(live: LiveAttempt) -> datetime:
    """Return since when an attempt is what it is now."""
    began = live.resizing.began_at
    return live.since if began is None else max(live.since, began)


NO_PREEMPTION = Rules(Scope.OFF)
