"""Room for one demand in one pool: how many workers fit, per domain and in all, kept up to date move by move."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from scheduler.core.ledger.index.order import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.pool import Move, Pool
    from scheduler.core.ledger.states.demand import Fit
    from scheduler.core.ledger.states.leftover import Leftover

_workers = itemgetter(0)
WIDE = 64
"""A domain with more children than this keeps them sorted; those of any other are sorted when they are asked for."""


class Room:
    """What one demand finds in one pool. Up to date after `catch_up`, which costs as much as has moved since."""

    __slots__ = (
        "_children",
        "_levels",
        "_moved",
        "_pool",
        "_was_ranked",
        "arrived",
        "fit",
        "is_dropped",
        "most_on_a_node",
        "nodes",
        "seen",
        "sums",
        "total",
    )

    def __init__(self, pool: Pool, fit: Fit) -> None:
        self._pool = pool
        self.fit = fit
        self.is_dropped = False
        """True once the pool no longer tells it of moves; whoever still has it asks the pool for another one."""
        self.total = 0
        """How many workers fit."""
        self.nodes = 0
        """On how many nodes at least one of them fits."""
        self.most_on_a_node = max((fit.on_empty(kind) for kind in pool.kinds), default=0)
        """No node has room for more workers, even when it is empty; it may be that none has so much any more."""
        self.sums: dict[Domain, int] = {}
        """How many workers fit per domain; where none does there may be no entry."""
        self.arrived: set[Leftover] = set()
        """States in which at least one worker fits and that nodes came to since whoever ranks them last looked."""
        self._was_ranked = False
        self._levels: dict[str, Order] = {}
        self._children: dict[Domain, Order] = {}
        self._moved: dict[str | Domain | None, set[Domain]] = {}
        """Per order, by its level or the parent of its domains, in which of its domains the room changed."""
        self.seen = pool.moves_made
        """How many moves of the pool were taken in."""
        for domain in pool.domains:
            self._look_at(domain)

    def catch_up(self) -> None:
        """Take in what has moved in the pool since the last time."""
        pool = self._pool
        made = pool.moves_forgotten + len(pool.moves)
        if self.seen != made:
            self._take_in(pool.moves[self.seen - pool.moves_forgotten :])
            self.seen = made

    def all_arrive_again(self) -> None:
        """Let every state that a node is in and that has room be among `arrived`; the first time all are."""
        if self._was_ranked:
            self.arrived.update(state for state in self._pool.states() if self.fit[state])
        self._was_ranked = True

    def fits_now(self) -> Iterator[int]:
        """Yield how many workers fit on a node of each state that nodes are in."""
        for leftover, fit in self.fit.items():
            if leftover is not None and leftover.names.count and self._pool.has(leftover.kind):
                yield fit

    def at(self, level: str) -> Order:
        """Return the domains of a level by their room."""
        order = self._levels.get(level)
        if order is None:
            order = self._levels[level] = Order()
            self._moved[level] = set()
            for domain, workers in self.sums.items():
                if domain.level == level:
                    order.put(domain, workers)
        elif self._moved[level]:
            self._put_again(order, self._moved[level])
        return order

    def most_at(self, level: str) -> int:
        """Return a bound: no domain of a level has room for more workers, even when it is empty."""
        return self.most_on_a_node * self._pool.most_nodes.get(level, 0)

    def children(self, domain: Domain) -> list[tuple[int, str, Domain]]:
        """Return the room, path and domain of a domain's children that have room, tightest first."""
        if len(domain.children) <= WIDE:
            sums = self.sums
            return sorted((room, child.path, child) for child in domain.children.values() if (room := sums.get(child)))
        order = self._children.get(domain)
        if order is None:
            order = self._children[domain] = Order()
            self._moved[domain] = set()
            for child in domain.children.values():
                order.put(child, self.sums.get(child, 0))
        elif self._moved[domain]:
            self._put_again(order, self._moved[domain])
        return order.rows

    def _put_again(self, order: Order, moved: set[Domain]) -> None:
        """Put the domains of an order where they belong that have gained or lost room."""
        changed = [(self.sums.get(domain, 0), domain) for domain in moved]
        moved.clear()
        # Those without room go first: one of them may have left its path to another.
        for workers, domain in sorted(changed, key=_workers):
            order.put(domain, workers)

    def _look_at(self, domain: Domain) -> None:
        """Count the nodes that stand directly in a domain, for the first time."""
        fit, kinds = self.fit, self._pool.kinds
        found = [
            (leftover, room)
            for entry in domain.members
            if (room := fit[leftover := entry.leftover]) and leftover.kind in kinds
        ]
        if found:
            self.nodes += len(found)
            self.arrived.update([leftover for leftover, _ in found])
            self._add(domain, sum([room for _, room in found]))

    def _take_in(self, moves: Iterable[Move]) -> None:
        fit, arrived = self.fit, self.arrived
        gained: dict[Domain, int] = {}
        for domain, old, new in moves:
            before, after = fit[old], fit[new]
            if after and new is not None:
                arrived.add(new)
            if old is None and new is not None:
                self.most_on_a_node = max(self.most_on_a_node, fit.on_empty(new.kind))
            if before == after:
                continue
            self.nodes += (after > 0) - (before > 0)
            gained[domain] = gained.get(domain, 0) + after - before
        for domain, workers in gained.items():
            if workers:
                self._add(domain, workers)

    def _add(self, domain: Domain, workers: int) -> None:
        """Let so many more workers fit into a smallest domain and all that it is in, fewer where it is below 0."""
        self.total += workers
        sums, moved = self.sums, self._moved
        at: Domain | None = domain
        while at is not None:
            room = sums.get(at, 0) + workers
            if room:
                sums[at] = room
            else:
                sums.pop(at, None)
            if at.level in moved:
                moved[at.level].add(at)
            if at.parent in moved:
                moved[at.parent].add(at)
            at = at.parent
