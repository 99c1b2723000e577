"""What one demand would find in the nodes that a tenant may use if nothing ran and no node refused work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.layout import Layout
    from scheduler.core.ledger.index.pool import Pool
    from scheduler.core.ledger.states.demand import Fit


class EmptyView:
    """The same figures as a View has, told by the kinds of nodes alone: no node is looked at, and nothing kept."""

    __slots__ = ("_fit", "_pools")

    def __init__(self, fit: Fit, pools: Iterable[Pool]) -> None:
        self._fit = fit
        self._pools = list(pools)

    @property
    def total(self) -> int:
        """How many workers would fit."""
        on_empty = self._fit.on_empty
        return sum([nodes * on_empty(kind) for pool in self._pools for kind, nodes in pool.kinds.items()])

    def most_on_one_node(self) -> int:
        """Return how many workers would fit on the roomiest node."""
        on_empty = self._fit.on_empty
        return max([on_empty(kind) for pool in self._pools for kind in pool.kinds], default=0)

    def most_at(self, level: str) -> int:
        """Return how many workers would fit into the roomiest domain of a level."""
        layouts = self._layouts()
        most = max([layout.most_at(level, self._fit) for layout in layouts], default=0)
        if len(layouts) > 1:  # only in domains that several pools share more may fit than in one pool
            smaller = sorted(layouts, key=lambda layout: layout.count_at(level))[:-1]
            shared = {domain for layout in smaller for domain in layout.domains_at(level)}
            most = max([most, *(self._room_in(domain) for domain in shared)])
        return most

    def total_at(self, level: str) -> int:
        """Return how many workers would fit into all domains of a level together."""
        return sum([layout.total_at(level, self._fit) for layout in self._layouts()])

    def spread(self, level: str, most: int) -> dict[Domain, int]:
        """Return how many workers each domain of a level would take that has room, at most so many in one."""
        domains = dict.fromkeys(domain for layout in self._layouts() for domain in layout.domains_at(level))
        return {domain: min(most, room) for domain in domains if (room := self._room_in(domain))}

    def _layouts(self) -> list[Layout]:
        return [pool.layout() for pool in self._pools]

    def _room_in(self, domain: Domain) -> int:
        return sum([pool.layout().room_in(domain, self._fit) for pool in self._pools])
