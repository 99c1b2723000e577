"""How right estimates of starts were: what was told, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.core.model.identifiers import AttemptId
from scheduler.core.model.waiting.estimate import StartBasis

TRIFLE_S = 60.0
"""Waits are taken to be no shorter: who was told one second and waited ten was not told wrong."""


@dataclass(frozen=True, slots=True)
class ToldStart:
    """What was known of a gang's next start when it had waited for a while."""

    attempt: AttemptId
    """The one that was to start."""
    basis: StartBasis
    at: datetime
    """When it was said."""
    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """What became of an estimate."""

    told: ToldStart
    placed_at: datetime

    @property
    def waited_s(self) -> float:
        """For how long the gang waited from when it was said."""
        return self._wait_s(self.placed_at)

    @property
    def told_s(self) -> float:
        """The middle of what was told it."""
        return (self.soonest_s + self.longest_s) / 2

    @property
    def soonest_s(self) -> float:
        """The shortest wait that was told it."""
        return self._wait_s(self.told.earliest)

    @property
    def longest_s(self) -> float:
        """The longest wait that was told it."""
        return self._wait_s(self.told.latest)

    @property
    def ratio(self) -> float:
        """How many times as long it waited as the middle of what it was told; 1 is right."""
        return self.waited_s / self.told_s

    @property
    def is_in_range(self) -> bool:
        """Whether it started within what was told, or as near as makes no difference."""
        return self.soonest_s <= self.waited_s <= self.longest_s

    def _wait_s(self, until: datetime) -> float:
        return max(TRIFLE_S, (until - self.told.at).total_seconds())
