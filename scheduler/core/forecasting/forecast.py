"""When everybody who waits will start, as of one moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.forecasting.projection import FREE_NOW, PROMISED, Projection, Start
from scheduler.core.forecasting.run_lengths import LONGEST_S
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis, UnknownStart

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scheduler.core.forecasting.scene import Scene, Waiter
    from scheduler.core.model.identifiers import GroupId

_BASES = {FREE_NOW: StartBasis.FREE, PROMISED: StartBasis.PROMISED}
_BY_RANK = (StartBasis.LIMITS, StartBasis.LEARNT, StartBasis.GUESSED)


class Forecast:
    """The expected starts of all who waited when it was made."""

    def __init__(self, scene: Scene, last: Waiter | None = None) -> None:
        """Make it; `last` is a gang that comes after all others in its queue, and that nobody has looked at yet."""
        self.made_at = scene.now
        self._starts: dict[GroupId, tuple[Start | UnknownStart, Start | UnknownStart]] = {}
        waiters = scene.waiters if last is None else (*scene.waiters, last)
        early, late = Projection(scene, at_most=False), Projection(scene, at_most=True)
        for waiter in waiters:
            is_new = waiter is last
            self._starts[waiter.group.id] = early.start(waiter, is_new=is_new), late.start(waiter, is_new=is_new)

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[GroupId]:
        return iter(self._starts)

    def of(self, group: GroupId, now: datetime) -> Estimate | NoEstimate | None:
        """Return when a gang will start, no earlier than now; None for one that did not wait when this was made."""
        known = self._starts.get(group)
        if known is None:
            return None
        early, late = known
        if isinstance(early, UnknownStart):
            return NoEstimate(early, self.made_at)
        if isinstance(late, UnknownStart):
            return NoEstimate(late, self.made_at)
        earliest = max(now, self._moment(min(early.at_s, late.at_s)))
        latest = max(earliest, self._moment(max(early.at_s, late.at_s)))
        ranks = {early.rank, late.rank}
        rank = max(ranks - {PROMISED} or ranks)
        return Estimate(earliest, latest, _BASES.get(rank) or _BY_RANK[rank], self.made_at)

    def _moment(self, at_s: float) -> datetime:
        return self.made_at + timedelta(seconds=min(at_s, LONGEST_S))
