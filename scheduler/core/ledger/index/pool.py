"""The nodes that have one chip type in one cluster and belong to one tier, with all that moves among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from scheduler.core.ledger.index.layout import Layout
from scheduler.core.ledger.index.room import Room

if TYPE_CHECKING:
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.states.demand import Fit
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.identifiers import ChipName

Key = TypeVar("Key")
Move = tuple["Domain", "Leftover | None", "Leftover | None"]
"""In a domain a node went from one state to another; None: it came into the ledger or left it."""

MOST_MOVES = 8_192
"""So many moves are kept for rooms that are not up to date; one that is further behind costs less to make anew."""
RECENT_MOVES = 256
"""A room that has missed no more than this was asked for lately."""
MOST_ROOMS = 256
"""Of one pool: so many different demands are kept at hand."""


class Pool:
    """One chip type of one cluster and tier. It keeps moves for its rooms, and says where its nodes stand."""

    __slots__ = ("_layout", "_nodes", "domains", "kinds", "most_nodes", "moves", "moves_forgotten", "rooms")

    def __init__(self) -> None:
        self.domains: dict[Domain, int] = {}
        """How many nodes stand directly in each domain."""
        self._nodes: dict[Domain, int] = {}
        self.most_nodes: dict[str, int] = {}
        """Per level: no domain has more nodes of the pool; it may be that none has so many any more."""
        self.kinds: dict[NodeKind, int] = {}
        """How many nodes of each kind there are."""
        self._layout: Layout | None = None
        self.rooms: dict[Fit, Room] = {}
        """Those that are at hand; without any, moves need not be told."""
        self.moves: list[Move] = []
        """What moved since the first `moves_forgotten` moves."""
        self.moves_forgotten = 0

    @property
    def moves_made(self) -> int:
        """How many moves were ever told."""
        return self.moves_forgotten + len(self.moves)

    def has(self, kind: NodeKind) -> bool:
        """Say whether nodes of a kind belong to the pool."""
        return kind in self.kinds

    def come(self, kind: NodeKind, domain: Domain, leftover: Leftover, count: int = 1) -> None:
        """Take in so many nodes of one state."""
        self.kinds[kind] = self.kinds.get(kind, 0) + count
        self.domains[domain] = self.domains.get(domain, 0) + count
        at: Domain | None = domain
        while at is not None:
            nodes = self._nodes[at] = self._nodes.get(at, 0) + count
            if nodes > self.most_nodes.get(at.level, 0):
                self.most_nodes[at.level] = nodes
            at = at.parent
        if self._layout is not None:
            self._layout.change(domain, kind, count)
        for _ in range(count):
            self._tell((domain, None, leftover))

    def go(self, kind: NodeKind, domain: Domain, leftover: Leftover) -> None:
        """Let a node go."""
        _count_down(self.kinds, kind)
        _count_down(self.domains, domain)
        at: Domain | None = domain
        while at is not None:
            _count_down(self._nodes, at)
            at = at.parent
        if self._layout is not None:
            self._layout.change(domain, kind, -1)
        self._tell((domain, leftover, None))

    def catch_up(self) -> None:
        """Bring the rooms up to date that were asked for last, so that the next one who asks need not wait for it."""
        made = self.moves_made
        for room in self.rooms.values():
            if made - room.seen <= RECENT_MOVES:
                room.catch_up()

    def _tell(self, move: Move) -> None:
        if self.rooms:
            self.moves.append(move)
            if len(self.moves) > MOST_MOVES:
                self.forget_moves()

    def room(self, fit: Fit) -> Room:
        """Return the room for a demand, up to date; one that is not at hand costs a look at every domain's buckets."""
        room = self.rooms.get(fit)
        if room is not None:
            room.catch_up()
            return room
        if len(self.rooms) >= MOST_ROOMS:
            self._drop(min(self.rooms, key=lambda known: self.rooms[known].seen))
        room = self.rooms[fit] = Room(self, fit)
        return room

    def layout(self) -> Layout:
        """Return which kinds of nodes stand where; the first time every node is looked at."""
        if self._layout is None:
            self._layout = Layout(
                (domain, entry.leftover.kind)
                for domain in self.domains
                for entry in domain.members
                if entry.leftover.kind in self.kinds
            )
        return self._layout

    def states(self) -> dict[Leftover, int]:
        """Return the states that nodes of the pool are in, with how many are; looks at every node."""
        counts: dict[Leftover, int] = {}
        for domain in self.domains:
            for entry in domain.members:
                if entry.leftover.kind in self.kinds:
                    counts[entry.leftover] = counts.get(entry.leftover, 0) + 1
        return counts

    def devices(self, chip: ChipName) -> int:
        """Return the devices of a chip type on nodes that take work, but for those in foreign hands."""
        return sum(
            nodes * max(0, kind.whole_devices[kind.group_of[chip]])
            for kind, nodes in self.kinds.items()
            if kind.takes_work
        )

    def devices_free(self, chip: ChipName, *, takes_work: bool) -> int:
        """Return the whole devices of a chip type that nobody holds on nodes that take work, or that do not."""
        return sum(
            nodes * max(0, leftover.free[leftover.kind.group_of[chip]])
            for leftover, nodes in self.states().items()
            if leftover.kind.takes_work == takes_work
        )

    def forget_rooms(self) -> None:
        """Let all rooms be made anew."""
        for fit in list(self.rooms):
            self._drop(fit)

    def forget_moves(self) -> None:
        """Forget the older half of the moves, and the rooms that have not taken them in."""
        kept = MOST_MOVES // 2
        self.moves_forgotten += len(self.moves) - kept
        del self.moves[:-kept]
        for fit in [fit for fit, room in self.rooms.items() if room.seen < self.moves_forgotten]:
            self._drop(fit)

    def _drop(self, fit: Fit) -> None:
        self.rooms.pop(fit).is_dropped = True


def _count_down(counts: dict[Key, int], key: Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
