"""The tree of topology domains of a cluster, in which its nodes stand."""

from __future__ import annotations

from bisect import bisect_left, insort
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.topology import Topology

_by_name = attrgetter("id")


class Domain:
    """A rack, a zone, or a whole cluster. A domain is known by its name and those of the domains it is in."""

    __slots__ = ("children", "level", "members", "name", "parent", "path", "topology")

    def __init__(self, level: str, name: str, parent: Domain | None) -> None:
        self.level = level
        self.name = name
        self.parent = parent
        self.path: str = name if parent is None else f"{parent.path}/{level}={name}"
        """No two domains of a cluster have the same."""
        self.children: dict[tuple[str, str], Domain] = {}
        self.members: list[NodeEntry] = []
        """The nodes that stand in it and in no smaller domain, by name."""
        self.topology: Topology | None = None
        """That of these nodes; None where there never was one."""

    def within(self, topology: Topology) -> Domain:
        """Return the smallest domain of a node in this cluster, made where it is new."""
        domain = self
        for level, name in reversed(topology.domains):
            child = domain.children.get((level, name))
            if child is None:
                child = domain.children[level, name] = Domain(level, name, domain)
            domain = child
        if domain.topology is None:
            domain.topology = topology
        return domain

    def add(self, *entries: NodeEntry) -> None:
        """Let nodes stand here."""
        if len(entries) > len(self.members):
            self.members += entries
            self.members.sort(key=_by_name)
        else:
            for entry in entries:
                insort(self.members, entry, key=_by_name)

    def discard(self, entry: NodeEntry) -> None:
        """Let a node go that stood here."""
        del self.members[bisect_left(self.members, entry.id, key=_by_name)]

    def prune(self) -> None:
        """Leave the tree where nothing is in it any more."""
        domain = self
        while domain.parent is not None and not domain.members and not domain.children:
            siblings = domain.parent.children
            if siblings.get((domain.level, domain.name)) is domain:  # one that was left before may have a successor
                del siblings[domain.level, domain.name]
            domain = domain.parent

    def nodes(self) -> Iterator[NodeEntry]:
        """Yield all nodes that stand in it or in a domain within it."""
        yield from self.members
        for child in self.children.values():
            yield from child.nodes()

    def at(self, level: str) -> Domain | None:
        """Return the domain of a level that this one is or is in."""
        domain: Domain | None = self
        while domain is not None and domain.level != level:
            domain = domain.parent
        return domain
