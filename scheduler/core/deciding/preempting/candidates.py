"""Whom a gang might have stopped, those first of whom least is lost for each device that it can use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING

from scheduler.core.deciding.parts.losses import alike_of, devices_of, unsaved_since

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.parts.losses import Alike, Row
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import AttemptId
    from scheduler.core.model.sharing.eviction import EvictionCause

    Allows = Callable[[LiveAttempt], bool]
    MayTake = Callable[[LiveAttempt, Sequence[Allocation]], bool]
    """Whether what some workers of an attempt hold may be taken while it goes on with the others."""

MOST_LOOKED_AT = 20_000
"""So many attempts are looked at for one gang, most of which are left alone for now."""


def _nobody(_: AttemptId) -> bool:
    return False


def _nothing(_: LiveAttempt, __: Sequence[Allocation]) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Claimant:
    """What a gang may do to others."""

    cause: EvictionCause
    among: Callable[[Alike], bool]
    """Of which attempts some may be stopped for it."""
    may_stop: Allows
    """And which of these, as things are now."""
    is_gone: Callable[[AttemptId], bool] = _nobody
    """Which were decided on before."""
    may_shrink: MayTake = _nothing
    """And what of elastic jobs may be taken by this right."""
    leaves_short: bool = False
    """Whether some may be left with less than their guaranteed share, which is to stay free for them then."""


class Candidates:
    """The attempts that might be stopped for a gang at one moment."""

    def __init__(
        self,
        state: SchedulerState,
        claimant: Claimant,
        now: datetime,
        *,
        restart_s: float,
        starts: dict[tuple[PoolName, Alike], int] | None = None,
        most: int = MOST_LOOKED_AT,
    ) -> None:
        """`starts` are where the first are in their lists that were not decided on, kept from one gang to the next.

        No more are looked at than `most`, but for those beside them on their nodes.
        """
        self._state = state
        self._claimant = claimant
        self._now_s = now.timestamp()
        self._restart_s = restart_s
        self._starts: dict[tuple[PoolName, Alike], int] = {} if starts is None else starts
        self._most = most
        self.looked_at = 0

    def loss(self, live: LiveAttempt, useful: int) -> float:
        """Return what is lost with an attempt for each of its devices that are of use, in seconds."""
        return self._loss(-unsaved_since(live).timestamp(), devices_of(live), useful)

    def by_loss(self, pool: PoolName, useful: int) -> Iterator[LiveAttempt]:
        """Yield those in a pool, of whom so many devices are of use at most; those first with the least loss."""
        heads = [
            (self._loss(rows[at][0], alike.devices, useful), alike, at, rows)
            for alike, rows in self._state.losses.in_pool(pool).items()
            if self._claimant.among(alike) and (at := self._start(pool, alike, rows)) < len(rows)
        ]
        heapify(heads)
        live = self._state.live
        while heads and self.looked_at < self._most:
            _, alike, at, rows = heads[0]
            found = live[rows[at][1]]
            at += 1
            if at < len(rows):
                heapreplace(heads, (self._loss(rows[at][0], alike.devices, useful), alike, at, rows))
            else:
                heappop(heads)
            self.looked_at += 1
            if self._claimant.may_stop(found):
                yield found

    def _start(self, pool: PoolName, alike: Alike, rows: list[Row]) -> int:
        at = self._starts.get((pool, alike), 0)
        while at < len(rows) and self._claimant.is_gone(rows[at][1]):
            at += 1
        self._starts[pool, alike] = at
        return at

    def may_go(self, live: LiveAttempt) -> bool:
        """Say whether an attempt may be stopped as things are now, after all that was let go since it was yielded."""
        return self._claimant.may_stop(live)

    def on_node(self, node: str) -> list[LiveAttempt]:
        """Return those that hold something of a node, those first with whom least is lost."""
        there = [self._state.live[attempt] for attempt in self._state.losses.on_node(node)]
        found = [live for live in there if self._claimant.among(alike_of(live)) and self._claimant.may_stop(live)]
        return sorted(found, key=lambda live: (self.loss(live, 1), live.attempt))

    def _loss(self, saved: float, devices: int, useful: int) -> float:
        wasted = devices / useful if devices > useful else 1.0
        return (max(0.0, self._now_s + saved) + self._restart_s) * wasted
