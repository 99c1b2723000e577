"""Which nodes of a domain take how many workers: few nodes, full ones first, and the rest where it fits tightest."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.slots import lowest

if TYPE_CHECKING:
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.placement.placer import Placer
    from scheduler.core.placement.view import View

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
        seating, demand, leftover = self.seating, self._view.fit.demand, entry.leftover
        shape = demand.shape
        if not shape.devices_milli or not self._binds:
            mask = 0
        else:
            own = leftover.kind.masks[leftover.kind.group_of[demand.chip or ""]]
            if shape.share_milli:
                mask = self._share_mask(entry, own)
                seating.opens.append(not entry.held_mask & mask)
            else:
                mask = lowest(own & ~entry.held_mask, workers * shape.devices)
        seating.nodes.append(entry)
        seating.before.append(leftover)
        seating.masks.append(mask)
        seating.workers.append(workers)

    def _fill_part(self, domain: Domain, part: Domain, workers: int) -> None:
        if part is domain:
            self._fill_nodes(domain, workers)
        else:
            self.fill(part, workers)

    def _fill_nodes(self, domain: Domain, workers: int) -> None:
        """Seat workers on nodes that stand in no smaller domain, the best of equals first; ties end in the name."""
        if domain.parent is None and not domain.children and len(domain.members) > MOST_SORTED:
            self._fill_flat(workers)
            return
        fit, tiers = self._view.fit, self._view.tiers
        ordered = [entry for entry in domain.members if fit[entry.leftover] and entry.leftover.kind.tier in tiers]
        if len(ordered) > 1:
            order = self._scores.fill_order
            ordered.sort(key=lambda entry: order[entry.leftover])
        for at, entry in enumerate(ordered):
            room = fit[entry.leftover]
            if room > workers:
                enough = [entry for entry in ordered[at:] if fit[entry.leftover] >= workers]
                self.on_node(min(enough, key=lambda entry: fit[entry.leftover]), workers)
                return
            self.on_node(entry, room)
            workers -= room
            if not workers:
                return

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

    def _share_mask(self, entry: NodeEntry, own: int) -> int:
        """Return the slot of the device that is best for a share, the lowest among alike ones, as a bit."""
        device = self._scores.device(entry.leftover)
        if device is None:
            return lowest(own & ~entry.held_mask, 1)
        shared = entry.shared or {}
        return 1 << min(slot for slot, left in shared.items() if left == device[1:] and own >> slot & 1)
