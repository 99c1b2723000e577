"""Holds a ledger against a full scan after every step."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from scheduler.core.ledger.changes import PutCluster, PutNode, Restore
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.node import NodeState
from scheduler.core.model.topology import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.index.pool import Pool
    from scheduler.core.ledger.index.room import Room
    from scheduler.core.ledger.states.demand import Fit
    from scheduler.core.ledger.states.node_kind import Tier
    from tests.oracle.full_scan import FullScan, Place

Domains = tuple[list["Domain"], "NDArray[np.int64]"]
"""Domains with nodes of one tier, the whole cluster first, and their cells."""
Probe = tuple[int, "Pool", "Fit", Domains]
"""A demand's number, and where it is asked for."""


SELDOM = 50


class Comparison:
    """Reads both sides. Room that may have changed is read each time; what costs more takes turns."""

    def __init__(self, ledger: Ledger, scan: FullScan, tenants: tuple[str, ...]) -> None:
        self.ledger = ledger
        self.scan = scan
        self._tenants = tenants
        self._turn = count()
        self._probes: list[Probe] = []
        self._changes = -1
        self._seen: list[int] = []
        self._cells = np.zeros((0, 0), np.int64)

    def check(self) -> None:
        """Fail where the ledger does not say what the scan says."""
        ledger, scan = self.ledger, self.scan
        inventory = ledger.inventory
        if inventory.changes != self._changes:
            assert inventory.entries.keys() == scan.nodes.keys()
            self._probes, self._changes, self._seen = list(self._all_probes()), inventory.changes, []
        fits = scan.fits()
        cells = scan.per_cell(fits)
        rooms = [(number, pool.room(fit), domains) for number, pool, fit, domains in self._probes]
        changed = (cells != self._cells).any(axis=1) if cells.shape == self._cells.shape else [True] * len(cells)
        self._cells = cells
        seen = [room.seen for _, room, _ in rooms]
        for (number, room, domains), now, before in zip(rooms, seen, self._seen or [-1] * len(seen), strict=True):
            if now != before or changed[number]:
                want, sums = cells[number][domains[1]].tolist(), room.sums
                assert [sums.get(domain, 0) for domain in domains[0]] == want
                assert room.total == want[0]
        self._seen = seen
        for tenant in self._tenants:
            for chip in scan.chips:
                assert ledger.queue_devices_milli(tenant, chip) == scan.queue_devices_milli(tenant, chip)
        turn = next(self._turn)
        if rooms:
            number, room, domains = rooms[turn % len(rooms)]
            self._check_orders(room, domains, cells[number])
            if turn % SELDOM == 0:
                self._check_nodes(room, fits[number], int(domains[1][0]))
        self._check_one_node(turn)

    def check_rebuilt(self) -> None:
        """Fail where a ledger made of nothing but nodes and holdings is another one."""
        fresh = Ledger()
        for cluster in self.scan.clusters.values():
            fresh.apply(PutCluster(cluster))
        for node in self.scan.nodes.values():
            fresh.apply(PutNode(node))
        for attempt, (tenant, allocations) in self.scan.holds.items():
            fresh.apply(Restore(attempt, tenant, allocations))
        assert fresh.digest() == self.ledger.digest()
        Comparison(fresh, self.scan, self._tenants).check()

    def _check_orders(self, room: Room, domains: Domains, cells: NDArray[np.int64]) -> None:
        """Compare the domains of each level by their room, and those within one domain."""
        want = dict(zip(domains[0], cells[domains[1]].tolist(), strict=True))
        by_level: dict[str, list[tuple[int, str]]] = {domain.level: [] for domain in want}
        by_parent: dict[Domain, list[tuple[int, str]]] = {domain: [] for domain in want}
        for domain, workers in want.items():
            if workers:
                by_level[domain.level].append((workers, domain.path))
            if workers and domain.parent is not None:
                by_parent[domain.parent].append((workers, domain.path))
        for level, rows in by_level.items():
            if level != CLUSTER:
                assert [row[:2] for row in room.at(level).rows] == sorted(rows)
                assert room.at(level).most == max((row[0] for row in rows), default=0)
        for domain, rows in by_parent.items():
            assert [row[:2] for row in room.children(domain)] == sorted(rows)

    def _check_nodes(self, room: Room, fits: NDArray[np.int64], root: int) -> None:
        here = fits[self.scan.members[:, root] > 0]
        assert room.nodes == int((here > 0).sum())
        assert max(room.fits_now(), default=0) == int(here.max(initial=0)) <= room.most_on_a_node

    def _check_one_node(self, turn: int) -> None:
        """Compare what is said of one node, and of those in its state."""
        names = list(self.scan.nodes)
        if not names:
            return
        name = names[turn % len(names)]
        ledger, node = self.ledger, self.scan.nodes[name]
        assert ledger.node(name) == node
        assert ledger.is_held(name) == bool(self.scan.held_on(name))
        entries = ledger.inventory.entries
        leftover = entries[name].leftover
        if node.state is not NodeState.GONE:
            alike = sorted(other for other in names if entries[other].leftover is leftover)
            assert leftover.names.count == len(alike)
            assert leftover.names.first(1 + turn % 3) == alike[: 1 + turn % 3]

    def _all_probes(self) -> Iterator[Probe]:
        """Yield what is to be read, and fail where there is room without nodes."""
        inventory = self.ledger.inventory
        for cluster in inventory.clusters():
            places = list(_places(inventory.root(cluster), ()))
            known: dict[Tier, Domains] = {}
            for number, demand in enumerate(self.scan.demands):
                for tier, pool in inventory.pools.get((cluster, demand.chip), {}).items():
                    if tier not in known:
                        known[tier] = self._domains(cluster, tier, places)
                    fit = inventory.fit(demand)
                    assert {domain for domain, room in pool.room(fit).sums.items() if room} <= set(known[tier][0])
                    if known[tier][0]:
                        yield number, pool, fit, known[tier]

    def _domains(self, cluster: str, tier: Tier, places: list[tuple[Place, Domain]]) -> Domains:
        """Return the domains in which a node of the tier stands."""
        columns, used = self.scan.columns, set(np.flatnonzero(self.scan.members.any(axis=0)).tolist())
        found = [(domain, columns.get((cluster, *tier, place))) for place, domain in places]
        there = [(domain, column) for domain, column in found if column is not None and column in used]
        return [domain for domain, _ in there], np.array([column for _, column in there], np.int64)


def _places(domain: Domain, place: Place) -> Iterator[tuple[Place, Domain]]:
    yield place, domain
    for key, child in domain.children.items():
        yield from _places(child, (*place, key))
