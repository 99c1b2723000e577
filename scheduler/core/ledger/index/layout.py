"""Which kinds of nodes stand in which domains of a pool, whatever runs on them: what it could hold if nothing ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.states.demand import Fit
    from scheduler.core.ledger.states.node_kind import NodeKind

MakeUp = frozenset[tuple["NodeKind", int]]
"""So many nodes of each kind; there are few different ones, for racks are built alike."""

NOTHING: MakeUp = frozenset()


class Layout:
    """The make-up of every domain, and per level how many domains have which. What is held does not change it."""

    __slots__ = ("_domains", "_levels")

    def __init__(self, nodes: Iterable[tuple[Domain, NodeKind]]) -> None:
        """Take in the nodes by the smallest domains in which they stand."""
        counts: dict[Domain, dict[NodeKind, int]] = {}
        for domain, kind in nodes:
            kinds = counts.setdefault(domain, {})
            kinds[kind] = kinds.get(kind, 0) + 1
        self._domains: dict[Domain, MakeUp] = {}
        self._levels: dict[str, dict[MakeUp, int]] = {}
        for domain, kinds in _with_outer_domains(counts).items():
            self._put(domain, frozenset(kinds.items()))

    def change(self, domain: Domain, kind: NodeKind, by: int) -> None:
        """Let so many nodes of a kind come into a domain, and those it is in; fewer where it is below 0."""
        at: Domain | None = domain
        while at is not None:
            kinds = dict(self._domains.get(at, NOTHING))
            kinds[kind] = kinds.get(kind, 0) + by
            self._put(at, frozenset((kind, nodes) for kind, nodes in kinds.items() if nodes))
            at = at.parent

    def most_at(self, level: str, fit: Fit) -> int:
        """Return how many workers fit into the roomiest domain of a level if nothing runs."""
        return max([_room(make_up, fit) for make_up in self._levels.get(level, ())], default=0)

    def total_at(self, level: str, fit: Fit) -> int:
        """Return how many workers fit into all domains of a level together if nothing runs."""
        return sum([domains * _room(make_up, fit) for make_up, domains in self._levels.get(level, {}).items()])

    def room_in(self, domain: Domain, fit: Fit) -> int:
        """Return how many workers fit into a domain if nothing runs."""
        return _room(self._domains.get(domain, NOTHING), fit)

    def domains_at(self, level: str) -> list[Domain]:
        """Return the domains of a level in which nodes stand; looks at all domains."""
        return [domain for domain in self._domains if domain.level == level]

    def count_at(self, level: str) -> int:
        """Return how many domains of a level have nodes."""
        return sum(self._levels.get(level, {}).values())

    def _put(self, domain: Domain, make_up: MakeUp) -> None:
        counts = self._levels.setdefault(domain.level, {})
        before = self._domains.pop(domain, NOTHING)
        if before:
            counts[before] -= 1
            if not counts[before]:
                del counts[before]
        if make_up:
            self._domains[domain] = make_up
            counts[make_up] = counts.get(make_up, 0) + 1


def _with_outer_domains(
    counts: Mapping[Domain, Mapping[NodeKind, int]],
) -> dict[Domain, dict[NodeKind, int]]:
    """Return how many nodes of each kind stand in each domain and in those it is in."""
    found: dict[Domain, dict[NodeKind, int]] = {}
    for domain, kinds in counts.items():
        at: Domain | None = domain
        while at is not None:
            within = found.setdefault(at, {})
            for kind, nodes in kinds.items():
                within[kind] = within.get(kind, 0) + nodes
            at = at.parent
    return found


def _room(make_up: MakeUp, fit: Fit) -> int:
    return sum([nodes * fit.on_empty(kind) for kind, nodes in make_up])
