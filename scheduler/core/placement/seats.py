"""Which nodes of a domain take how many workers: few nodes, full ones first, and the rest where it fits tightest."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING

from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.slots import lowest

if TYPE_CHECKING:
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.states.leftover import Leftover, SharedDevice
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.placement.placer import Placer
    from scheduler.core.placement.room.view import View

Found = tuple["NodeEntry", "Leftover", int]
"""A node, its state, and how many workers fit there."""
_room = itemgetter(2)

MOST_SORTED = 256
"""Nodes of a cluster without topology are sorted one by one up to so many, and beyond that by their states."""


class Seater:
    """Seats workers of one demand, of which as many fit as are wanted. It only reads the ledger."""

    __slots__ = ("_binds", "_placer", "_scores", "_view", "seating")

    def __init__(self, placer: Placer, view: View, *, binds: bool) -> None:
        self._placer = placer
        self._view = view
        self._scores = placer.scores(view.fit)
        self._binds = binds
        self.seating = Seating(view.fit.demand, [], [], [], [])

    def fill(self, domain: Domain, workers: int) -> None:
        """Seat workers in a domain with room for them: its roomiest parts are filled, the tightest takes the rest."""
        if not domain.children:
            self._fill_nodes(domain, workers)
            return
        rows = self._view.children(domain)
        if domain.members:
            own = sum([self._view.fits(entry.leftover) for entry in domain.members])
            rows = sorted([*rows, (own, domain.path, domain)], key=lambda row: row[:2]) if own else rows
        at = len(rows)
        while workers and at and workers >= rows[at - 1][0]:
            at -= 1
            self._fill_part(domain, rows[at][2], rows[at][0])
            workers -= rows[at][0]
        if workers:
            self._fill_part(domain, rows[bisect_left(rows, (workers,), hi=at)][2], workers)

    def on_node(self, entry: NodeEntry, workers: int) -> None:
        """Seat workers on one node."""
        demand, leftover = self._view.fit.demand, entry.leftover
        shape = demand.shape
        if shape.share_milli:
            self.on_device(entry, self._scores.device(leftover))
        elif shape.devices and self._binds:
            own = leftover.kind.masks[leftover.kind.group_of[demand.chip or ""]]
            self._take(entry, lowest(own & ~entry.held_mask, workers * shape.devices), workers)
        else:
            self._take(entry, 0, workers)

    def on_device(self, entry: NodeEntry, device: SharedDevice | None) -> None:
        """Seat one worker with a share on the lowest device of a node that is like this one, None for a whole one."""
        kind = entry.leftover.kind
        own = kind.masks[kind.group_of[self._view.fit.demand.chip or ""]]
        if device is None:
            mask = lowest(own & ~entry.held_mask, 1)
        else:
            shared = entry.shared or {}
            mask = 1 << min(slot for slot, left in shared.items() if left == device[1:] and own >> slot & 1)
        self.seating.opens.append(device is None)
        self._take(entry, mask, 1)

    def _take(self, entry: NodeEntry, mask: int, workers: int) -> None:
        self.seating.nodes.append(entry)
        self.seating.before.append(entry.leftover)
        self.seating.masks.append(mask)
        self.seating.workers.append(workers)

    def _fill_part(self, domain: Domain, part: Domain, workers: int) -> None:
        if part is domain:
            self._fill_nodes(domain, workers)
        else:
            self.fill(part, workers)

    def _fill_nodes(self, domain: Domain, workers: int) -> None:
        """Seat workers on nodes that stand in no smaller domain; ties end in the name."""
        if domain.parent is None and not domain.children and len(domain.members) > MOST_SORTED:
            self._fill_flat(workers)
            return
        fit, tiers = self._view.fit, self._view.tiers
        found = [
            (entry, leftover, room)
            for entry in domain.members
            if (room := fit[leftover := entry.leftover]) and leftover.kind.tier in tiers
        ]
        if sum([room for _, _, room in found]) == workers and not fit.demand.shape.share_milli:
            self._take_all(found)
        else:
            self._take_best(found, workers)

    def _take_best(self, found: list[Found], workers: int) -> None:
        """Fill the roomiest nodes, the best of equals first; the rest goes where it fits tightest."""
        if len(found) > 1:
            order = self._scores.fill_order
            found.sort(key=lambda row: order[row[1]])
        for at, (entry, _, room) in enumerate(found):
            if room > workers:
                enough = [row for row in found[at:] if row[2] >= workers]
                self.on_node(min(enough, key=_room)[0], workers)
                return
            self.on_node(entry, room)
            workers -= room
            if not workers:
                return

    def _take_all(self, found: list[Found]) -> None:
        """Fill nodes that are all taken, the roomiest first, ties by name: none of them need be judged."""
        found.sort(key=_room, reverse=True)
        demand, seating = self._view.fit.demand, self.seating
        devices, chip = demand.shape.devices, demand.chip or ""
        seating.nodes += [entry for entry, _, _ in found]
        seating.before += [leftover for _, leftover, _ in found]
        seating.workers += [room for _, _, room in found]
        seating.masks += [
            lowest(leftover.kind.masks[leftover.kind.group_of[chip]] & ~entry.held_mask, room * devices)
            if devices and self._binds
            else 0
            for entry, leftover, room in found
        ]

    def _fill_flat(self, workers: int) -> None:
        """Seat workers in a cluster without smaller domains, state by state, for its nodes may be very many."""
        entries, fits, order = self._placer.ledger.inventory.entries, self._view.fits, self._scores.fill_order
        known = [state for room in self._view.rooms for state in self._placer.ranking(room).states()]
        known.sort(key=lambda state: (order[state], state.names.least()))
        full: dict[Leftover, int] = {}
        for state in known:
            full[state] = min(state.names.count, workers // fits(state))
            workers -= full[state] * fits(state)
        rest = [state for state in known if fits(state) >= workers > 0 and full[state] < state.names.count]
        last = min(rest, key=fits) if rest else None
        for state, nodes in full.items():
            names = state.names.first(nodes + (state is last)) if nodes or state is last else []
            for name in names[:nodes]:
                self.on_node(entries[name], fits(state))
            if state is last:
                self.on_node(entries[names[-1]], workers)
