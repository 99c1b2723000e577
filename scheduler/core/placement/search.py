"""Seats for a gang of several parts where seating them one after the other finds none: an exact search, bounded."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.demand import NO_LIMIT, amounts_for, shares_that_fit
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.topology import NODE
from scheduler.core.placement.placement import SeatedPart
from scheduler.core.placement.room.view import View
from scheduler.core.placement.seats import Seater

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.states.demand import Demand
    from scheduler.core.ledger.states.leftover import Leftover, SharedDevice
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.identifiers import ClusterName, NodeId
    from scheduler.core.placement.placer import Placer
    from scheduler.core.placement.request import GangRequest, PartRequest

Counted = TypeVar("Counted")

MOST_STEPS = 5_000
"""So many seats are tried for one gang in one cluster. Where that is not enough it waits, as if there were no place."""


class Bucket(NamedTuple):
    """Nodes that are as good as each other."""

    leftover: Leftover
    domain: Domain | None
    """Of the level over which the gang is spread; None where it is not."""
    workers: int
    """Of the gang on each of the nodes; counted where it is spread over nodes."""


class Move(NamedTuple):
    """Workers of one part that sit down on one node."""

    part: int
    node: NodeId
    device: SharedDevice | None
    """For a share: which shared device gives it, None for a whole one."""
    workers: int
    old: Bucket
    new: Bucket


def seat_together(
    placer: Placer,
    cluster: ClusterName,
    request: GangRequest,
    parts: Sequence[PartRequest],
    domains: Iterable[Domain | None],
    *,
    with_degraded: bool = True,
) -> tuple[SeatedPart, ...] | None:
    """Return seats for all parts within one of the domains, None where none were found; None is the whole cluster.

    Of a gang that must sit on one node the nodes are tried in place of the domains. Degraded nodes are used only where
    all others have no room. The ledger is afterwards as it was.
    """
    finder = _Finder(placer, cluster, request, parts)
    if request.closeness.required == NODE:
        scopes = [[entry] for entry in finder.single_nodes()]
    else:
        scopes = [finder.nodes(domain) for domain in domains]
    sound = [[entry for entry in scope if not entry.leftover.kind.tier[1]] for scope in scopes]
    mixed = [all_nodes for all_nodes, own in zip(scopes, sound, strict=True) if len(all_nodes) > len(own)]
    for scope in (*sound, *mixed) if with_degraded else sound:
        moves = finder.find(scope)
        if moves is not None:
            return finder.seated(moves)
    return None


class _Finder:
    """Looks for seats of one gang in one cluster, scope by scope, with a number of steps for all of them."""

    def __init__(
        self, placer: Placer, cluster: ClusterName, request: GangRequest, parts: Sequence[PartRequest]
    ) -> None:
        self._placer = placer
        self._cluster = cluster
        self._request = request
        self._parts = parts
        self._views = [list(placer.views(cluster, request, part))[-1:] for part in parts]
        self._steps_left = MOST_STEPS

    def single_nodes(self) -> list[NodeEntry]:
        """Return one node of each state on which every part fits by itself, the best for the first part first."""
        if not all(self._views):
            return []
        fits = [view[0].fit for view in self._views]
        scores = self._placer.scores(fits[0])
        entries = self._placer.ledger.inventory.entries
        states = [
            state
            for state in self._states()
            if all(fit[state] >= part.part.workers for fit, part in zip(fits, self._parts, strict=True))
        ]
        firsts = [state.names.first(1)[0] for state in states]
        return [entries[name] for name in sorted(firsts, key=lambda name: (-scores[entries[name].leftover], name))]

    def nodes(self, within: Domain | None) -> list[NodeEntry]:
        """Return the nodes of a domain; of the whole cluster only so many of each state as there are workers."""
        inventory = self._placer.ledger.inventory
        if within is not None or self._request.spread is not None:
            return list((within or inventory.root(self._cluster)).nodes())
        workers = sum(part.part.workers for part in self._parts)
        return [inventory.entries[name] for state in self._states() for name in state.names.first(workers)]

    def find(self, nodes: Sequence[NodeEntry]) -> list[Move] | None:
        """Return who sits on which of the nodes, None where that was not found in the steps that are left."""
        search = _Search(self._placer, self._request, self._parts, nodes)
        path: list[Move] = []
        choices = [search.moves()]
        while choices and self._steps_left:
            if search.is_done:
                return path
            move = next(choices[-1], None)
            if move is None:
                choices.pop()
                search.give_up()
                if path:
                    search.undo(path.pop())
                continue
            self._steps_left -= 1
            search.do(move)
            if search.is_hopeless():
                search.undo(move)
            else:
                path.append(move)
                choices.append(search.moves())
        return None

    def seated(self, moves: Sequence[Move]) -> tuple[SeatedPart, ...]:
        """Return moves as the seats of each part, which are for a ledger to hold in this order."""
        found: list[SeatedPart] = []
        with Trial(self._placer.ledger) as trial:
            for number, (part, (view,)) in enumerate(zip(self._parts, self._views, strict=True)):
                considered = view.nodes
                seating = Seating(part.demand, [], [], [], [])
                for step, seats in enumerate(_in_steps(part, [move for move in moves if move.part == number])):
                    taken = self._take_seats(view, seats)
                    trial.apply(Seat(f"part-{number}-{step}", self._request.tenant, (taken,)))
                    seating.extend(taken)
                found.append(SeatedPart(part, seating, considered))
        return tuple(found)

    def _take_seats(self, view: View, moves: Sequence[Move]) -> Seating:
        known = self._placer.ledger.cluster(self._cluster)
        seater = Seater(self._placer, View(view.fit, view.pools), binds=known is None or known.binds_devices)
        entries = self._placer.ledger.inventory.entries
        workers: Counter[NodeId] = Counter()
        for move in moves:
            if view.fit.demand.shape.share_milli:
                seater.on_device(entries[move.node], move.device)
            else:
                workers[move.node] += move.workers
        for node, count in workers.items():
            seater.on_node(entries[node], count)
        return seater.seating

    def _states(self) -> list[Leftover]:
        """Return the states in which nodes have room for some part."""
        rooms = [room for view in self._views for one in view for room in one.rooms]
        return list(dict.fromkeys(chain.from_iterable(self._placer.ranking(room).states() for room in rooms)))


class _Search:
    """What nodes have left as workers sit down and stand up again; the ledger is not told."""

    def __init__(
        self, placer: Placer, request: GangRequest, parts: Sequence[PartRequest], nodes: Sequence[NodeEntry]
    ) -> None:
        self._inventory = placer.ledger.inventory
        self._tenant = request.tenant
        spread = request.spread
        self._level = None if spread is None else spread.level
        self._most = 0 if spread is None else spread.most
        self._parts = parts
        self._fits = [self._inventory.fit(part.demand) for part in parts]
        self._scores = [placer.scores(fit) for fit in self._fits]
        self._left = [part.part.workers for part in parts]
        self._nodes: dict[Bucket, list[NodeId]] = {}
        for entry in nodes:
            domain = None if self._level is None else entry.domain.at(self._level)
            if self._level is None or domain is not None:
                self._nodes.setdefault(Bucket(entry.leftover, domain, 0), []).append(entry.id)
        for names in self._nodes.values():
            names.sort()
        self._room = [sum(fit[at.leftover] * len(names) for at, names in self._nodes.items()) for fit in self._fits]
        self._in_domain: Counter[Domain | None] = Counter()
        self._moved: Counter[Bucket] = Counter()
        self._failed: set[object] = set()

    @property
    def is_done(self) -> bool:
        """True once everybody sits."""
        return not any(self._left)

    def is_hopeless(self) -> bool:
        """Say whether some part has too little room by itself, or this was tried before in another order."""
        return (
            any(room < left for room, left in zip(self._room, self._left, strict=True)) or self._key() in self._failed
        )

    def give_up(self) -> None:
        """Remember that nobody else can sit down in a way that seats all."""
        self._failed.add(self._key())

    def moves(self) -> Iterator[Move]:
        """Yield where the next worker may sit, in the best order: where the fewest workers of later parts could."""
        part = next((number for number, left in enumerate(self._left) if left), None)
        if part is None or self._room[part] < self._left[part]:
            return
        fit, later = self._fits[part], self._fits[part + 1 :]
        rows = []
        for bucket, names in self._nodes.items():
            leftover = bucket.leftover
            room = min(fit[leftover], self._left[part], self._allowed(part, bucket)) if names else 0
            if room > 0:
                wanted = sum(other[leftover] for other in later)
                is_shared = leftover.kind.tier[0] != self._tenant
                order = (leftover.kind.tier[1], wanted, is_shared, -self._scores[part][leftover], names[0])
                rows.append((order, room, bucket))
        for (*_, node), room, bucket in sorted(rows, key=lambda row: row[0]):
            yield from self._moves_to(part, node, room, bucket)

    def do(self, move: Move) -> None:
        """Let workers sit down."""
        self._change(move, 1)

    def undo(self, move: Move) -> None:
        """Let those who sat down last stand up."""
        self._change(move, -1)

    def _allowed(self, part: int, bucket: Bucket) -> int:
        if self._level is not None:
            return self._most - self._in_domain[bucket.domain]
        return self._parts[part].demand.most_per_node - bucket.workers

    def _moves_to(self, part: int, node: NodeId, room: int, bucket: Bucket) -> Iterator[Move]:
        """Yield the ways in which a node can take workers: one at a time, but all at once where it is to be alone."""
        demand, left = self._parts[part].demand, bucket.leftover
        counts = range(room, 0, -1) if demand.is_exclusive else (1,)
        for workers in counts:
            amounts = amounts_for(demand, workers, left)
            for device in _devices(demand, left) if amounts.share_milli else (None,):
                if amounts.share_milli:
                    after = left.left.share_taken(amounts, left.kind.group_of[demand.chip or ""], device)
                else:
                    after = left.left.plus(amounts, -1)
                on_node = bucket.workers + workers * (demand.most_per_node != NO_LIMIT)
                new = Bucket(self._inventory.leftover(after), bucket.domain, on_node)
                yield Move(part, node, device, workers, bucket, new)

    def _change(self, move: Move, sign: int) -> None:
        old, new = (move.old, move.new) if sign > 0 else (move.new, move.old)
        self._nodes[old].remove(move.node)
        insort(self._nodes.setdefault(new, []), move.node)
        self._left[move.part] -= sign * move.workers
        _add(self._in_domain, move.old.domain, sign * move.workers)
        _add(self._moved, move.old, -sign)
        _add(self._moved, move.new, sign)
        for part, fit in enumerate(self._fits):
            self._room[part] += fit[new.leftover] - fit[old.leftover]

    def _key(self) -> object:
        """Return what tells positions apart: who is still to sit down, and on what; nodes of a bucket are alike."""
        return (*self._left, frozenset(self._moved.items()), frozenset(self._in_domain.items()))


def _add(counts: Counter[Counted], key: Counted, count: int) -> None:
    """Count, and forget what comes to nothing: equal counts are to be equal values."""
    counts[key] += count
    if not counts[key]:
        del counts[key]


def _devices(demand: Demand, left: Leftover) -> list[SharedDevice | None]:
    """Return the distinct devices of a state that can give a share, None for a whole one."""
    group = left.kind.group_of[demand.chip or ""]
    found: list[SharedDevice | None] = [
        device
        for device in dict.fromkeys(left.shared)
        if device[0] == group and shares_that_fit(demand.shape, device[1], device[2])
    ]
    return [*found, None] if left.free[group] > 0 else found


def _in_steps(part: PartRequest, moves: Sequence[Move]) -> list[Sequence[Move]]:
    """Return moves of one part in groups that a ledger is told at once: shares one by one, all others together."""
    return [[move] for move in moves] if part.part.shape.share_milli else [moves]
