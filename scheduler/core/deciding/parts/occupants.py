"""Who holds something in which pool of nodes: worked out when it is first asked for, and kept from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.model.identifiers import AttemptId


class Occupants:
    """Live attempts by where they are."""

    def __init__(self, ledger: Ledger, live: Mapping[AttemptId, LiveAttempt]) -> None:
        self._ledger = ledger
        self._live = live
        self._pools: dict[AttemptId, tuple[PoolName, ...]] = {}
        self._counts: dict[PoolName, dict[AttemptId, None]] | None = None
        """None until somebody asks: most states never are."""

    def of(self, pool: PoolName) -> Collection[AttemptId]:
        """Return the attempts on the nodes of a cluster that have a chip type; None: on any of its nodes."""
        if self._counts is None:
            self._counts = {}
            for live in self._live.values():
                self.come(live)
        return self._counts.get(pool, ())

    def come(self, live: LiveAttempt) -> None:
        """Take in an attempt that holds something."""
        if self._counts is None:
            return
        kinds = {self._ledger.kind_of(allocation.node) for allocation in live.held}
        pools = {(kind.cluster, chip) for kind in kinds for chip in (None, *kind.group_of)}
        self._pools[live.attempt] = tuple(pools)
        for pool in pools:
            self._counts.setdefault(pool, {})[live.attempt] = None

    def go(self, attempt: AttemptId) -> None:
        """Let an attempt go that holds nothing any more."""
        for pool in self._pools.pop(attempt, ()):
            if self._counts is not None:
                del self._counts[pool][attempt]
