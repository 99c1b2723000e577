"""What gangs were told of their start, and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from scheduler.core.model.identifiers import AttemptId
from scheduler.core.model.waiting.estimate import StartBasis
from scheduler.core.model.waiting.score import Score, ToldStart


class Estimates(Protocol):
    """Any call may raise StorageUnavailable."""

    def open(self) -> set[tuple[AttemptId, StartBasis]]:
        """Return what was told and is not settled."""
        ...

    def keep(
        self, told: Sequence[ToldStart], over: Collection[AttemptId], forget_before: datetime, epoch: int
    ) -> list[Score] | None:
        """Keep what was told, once for each attempt and basis, and settle what was told of those that wait no more.

        Return the scores of those that were placed; of others what was told is forgotten, as is all that was told
        before a time. None for an old epoch: then nothing is written.
        """
        ...

    def scores(self, since: datetime, limit: int) -> list[Score]:
        """Return what became of estimates of those that were placed since then, the latest first."""
        ...
