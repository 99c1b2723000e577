"""Random operations on a small fleet, done to a ledger and to a full scan alike."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from scheduler.core.ledger.changes import (
    Hold,
    LedgerChange,
    NodeInUse,
    Overcommitted,
    PutCluster,
    PutNode,
    Release,
    RemoveNode,
    Restore,
    Seat,
    UnknownNode,
)
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import Cluster, DeviceGroup, ForeignUse, Node, NodeState
from scheduler.core.model.topology import Topology
from scheduler.core.placement.gang import place
from scheduler.core.placement.placer import Placer
from tests.oracle.checks import rest_of
from tests.oracle.comparison import Comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scheduler.core.placement.request import GangRequest
    from tests.oracle.full_scan import FullScan

CLUSTERS = (Cluster("east", "local"), Cluster("west", "kubernetes", binds_devices=False, enforces_shares=False))
TENANTS = ("alpha", "beta")
CHIPS = ("h100", "mi300x", "mlu")
FEWEST_NODES, MOST_NODES = 40, 60
MOST_HELD = 150
MOST_UNDONE = 40
SELDOM = 0.1
DEVICES = (
    (DeviceGroup("h100", 8, 80_000),),
    (DeviceGroup("h100", 8, 80_000),),
    (DeviceGroup("h100", 4, 80_000), DeviceGroup("mi300x", 4, 190_000)),
    (DeviceGroup("mi300x", 8, 190_000),),
    (DeviceGroup("mlu", 2, 24_000),),
    (),
)
TOPOLOGIES = (
    (),
    (("rack", "r1"),),
    *((("rack", f"r{rack}"), ("row", f"w{rack % 3}"), ("zone", f"z{rack % 2}")) for rack in range(6)),
)
REFUSALS = (Overcommitted, NodeInUse, UnknownNode)
Undo = tuple[LedgerChange, "Callable[[], None]"]


class Operations:
    """Does one random thing after the other and compares after each."""

    def __init__(self, seed: int, ledger: Ledger, scan: FullScan, requests: Sequence[GangRequest]) -> None:
        self.random = Random(seed)
        self.ledger = ledger
        self.scan = scan
        self.refused = self.done = self.placed = self.undone = 0
        self.comparison = Comparison(ledger, scan, TENANTS)
        self._placer = Placer(ledger)
        self._requests = requests
        self._undos: deque[Undo] = deque(maxlen=MOST_UNDONE)
        self._number = 0
        for cluster in CLUSTERS:
            self.ledger.apply(PutCluster(cluster))
            scan.clusters[cluster.name] = cluster

    def step(self) -> None:
        """Do one thing, and fail where the two no longer agree."""
        choices = (self._hold, self._place, self._release, self._restore, self._put, self._remove, self._undo)
        held, nodes = len(self.scan.holds), len(self.scan.nodes)
        weights = (6, 12, 6 + (held > MOST_HELD) * 20, 2, 3 + (nodes < FEWEST_NODES) * 20, 1, 6)
        self.random.choices(choices, weights)[0]()
        self.comparison.check()

    def try_out(self) -> None:
        """Do a few things and take all of them back, newest first."""
        before = self.ledger.digest() if self.random.random() < SELDOM else None
        kept, self._undos = self._undos, deque()
        for _ in range(self.random.randint(1, 6)):
            self.step()
        while self._undos:
            self._undo_one()
            self.comparison.check()
        self._undos = kept
        assert before is None or self.ledger.digest() == before

    def _do(self, change: LedgerChange, is_refused: bool, follow: Callable[[], Callable[[], None]]) -> None:  # noqa: FBT001
        """Apply a change where the scan says that it is not refused; `follow` does it to the scan, and undoes it."""
        try:
            inverse = self.ledger.apply(change)
        except REFUSALS:
            if not is_refused:
                raise
            self.refused += 1
            return
        assert not is_refused, f"{change} was accepted"
        self.done += 1
        self._undos.append((inverse, follow()))

    def _undo(self) -> None:
        for _ in range(self.random.choice([1, 1, 2, 5])):
            if self._undos:
                self._undo_one()

    def _undo_one(self) -> None:
        inverse, follow = self._undos.pop()
        self.ledger.apply(inverse)
        follow()
        self.undone += 1

    def _hold(self) -> None:
        allocations = self._allocations(self.random.randint(1, 3))
        tenant = self.random.choice(TENANTS)
        change = Hold(self._attempt(), tenant, allocations)
        self._do(change, self.scan.refuses(tenant, allocations), lambda: self._held(change))

    def _restore(self) -> None:
        allocations = self._allocations(self.random.randint(1, 2), sloppiness=0.5)
        tenant = self.random.choice(TENANTS)
        change = Restore(self._attempt(), tenant, allocations)
        is_refused = self.scan.refuses(tenant, allocations, is_restored=True)
        self._do(change, is_refused, lambda: self._held(change))

    def _place(self) -> None:
        request = self.random.choice(self._requests)
        option = request.options[0]
        avoided = sorted(self.scan.nodes)[:: self.random.randint(5, 30)] if request.apart is not None else []
        found = place(self._placer, request, option, avoided)
        if found is None:
            return
        self.placed += 1
        allocations = found.allocations
        assert [one.rank for one in allocations] == list(range(sum(part.part.workers for part in option.parts)))
        change = Hold(self._attempt(), request.tenant, allocations)
        seat = Seat(change.attempt, request.tenant, found.seatings)
        self._do(seat, self.scan.refuses(request.tenant, allocations), lambda: self._held(change))

    def _held(self, change: Hold | Restore) -> Callable[[], None]:
        self.scan.hold(change.attempt, change.tenant, change.allocations)
        return lambda: _ignore(self.scan.release(change.attempt))

    def _release(self) -> None:
        if self.scan.holds:
            attempt = self.random.choice(list(self.scan.holds))
            self._do(Release(attempt), is_refused=False, follow=lambda: self._released(attempt))

    def _released(self, attempt: str) -> Callable[[], None]:
        held = self.scan.release(attempt)
        return lambda: self.scan.hold(attempt, *held)

    def _put(self) -> None:
        names = sorted(self.scan.nodes)
        if len(names) >= MOST_NODES or (names and self.random.random() < len(names) / MOST_NODES):
            node = self._differing(self.scan.nodes[self.random.choice(names)])
        else:
            node = self._new_node()
        before = self.scan.nodes.get(node.id)
        self._do(PutNode(node), is_refused=False, follow=lambda: self._was_put(node, before))

    def _was_put(self, node: Node, before: Node | None) -> Callable[[], None]:
        self.scan.put_node(node)
        return lambda: self.scan.remove_node(node.id) if before is None else self.scan.put_node(before)

    def _remove(self) -> None:
        names = sorted(self.scan.nodes)
        idle = [name for name in names if not self.scan.held_on(name)]
        name = self.random.choice([*idle[:5], *names[:5], "east/unknown"])
        node = self.scan.nodes.get(name)
        is_refused = node is None or bool(self.scan.held_on(name))
        self._do(RemoveNode(name), is_refused, lambda: self._was_removed(name, node))

    def _was_removed(self, name: str, node: Node | None) -> Callable[[], None]:
        self.scan.remove_node(name)
        assert node is not None
        return lambda: self.scan.put_node(node)

    def _attempt(self) -> str:
        self._number += 1
        return f"attempt-{self._number}"

    def _new_node(self) -> Node:
        pick = self.random.choice
        return Node(
            cluster=pick(["east", "east", "west"]),
            name=f"n{self.random.randrange(80):02d}",
            devices=pick(DEVICES),
            cpu_milli=pick([8_000, 64_000]),
            memory_mib=pick([64_000, 512_000]),
            pods=pick([4, 16]),
            topology=Topology(pick(TOPOLOGIES)),
            labels=pick([(), (), (("disk", "nvme"),)]),
            tenant=pick([None] * 5 + ["alpha", "beta"]),
        )

    def _differing(self, node: Node) -> Node:
        """Return a node as it may be seen next: shrunk, moved, kept for a tenant, broken, used by others, ..."""
        pick = self.random.choice
        chip = pick(CHIPS)
        changed: dict[str, object] = pick(
            [
                {"state": pick(list(NodeState))},
                {"state": NodeState.READY},
                {"state": NodeState.READY},
                {"devices": pick(DEVICES)},
                {"devices": tuple(replace(group, count=max(1, group.count - 1)) for group in node.devices)},
                {"cpu_milli": pick([1_000, 8_000, 64_000]), "pods": pick([1, 4, 16])},
                {"memory_mib": pick([1_000, 64_000, 512_000])},
                {"foreign": ForeignUse(((chip, pick([1, 2, 9])),), pick([0, 3_000]), pick([0, 2_000]), pick([0, 1]))},
                {"foreign": ForeignUse()},
                {"tenant": pick([None, None, *TENANTS])},
                {"topology": Topology(pick(TOPOLOGIES))},
                {"labels": pick([(), (("disk", "nvme"),)]), "note": pick(["", "a note"])},
            ]
        )
        return replace(node, **changed)  # type: ignore[arg-type]  # each set of fields is typed where it is made

    def _allocations(self, count: int, *, sloppiness: float = 0.08) -> tuple[Allocation, ...]:
        names = sorted(self.scan.nodes)
        if not names:
            return (Allocation(0, "east/unknown", "h100", (0,), 0, 0),)
        return tuple(self._allocation(rank, self.random.choice(names), sloppiness) for rank in range(count))

    def _allocation(self, rank: int, name: str, sloppiness: float) -> Allocation:
        """Return what mostly fits on a node by itself, and with this probability anything."""
        pick, node = self.random.choice, self.scan.nodes[name]
        is_sloppy = self.random.random() < sloppiness
        cpu_milli, memory_mib = pick([0, 500, 4_000]), pick([0, 1_000, 8_000])
        chips = list(CHIPS) if is_sloppy else [group.chip for group in node.devices]
        chip = pick([*chips, None])
        if chip is None:
            return Allocation(rank, name, None, (), cpu_milli, memory_mib)
        slots = list(node.slots(chip))
        if is_sloppy:
            slots = list(range(12))
        elif self.random.random() > sloppiness:
            held = {slot for one in self.scan.held_on(name) for slot in one.slots}
            slots = [slot for slot in slots if slot not in held] or slots
        if not self.scan.clusters[node.cluster].binds_devices:
            free = rest_of(node, self.scan.held_on(name)).free.get(chip, 0)
            return Allocation(
                rank, name, chip, (), cpu_milli, memory_mib, counted=pick([1, max(1, free), 9 if is_sloppy else 1])
            )
        if pick([True, False, False]):
            shared = [one.slots[0] for one in self.scan.held_on(name) if one.share_milli and one.chip == chip]
            slot = pick([*shared, slots[0]] if slots else [0])
            share = pick([100, 300, 500]), pick([0, 5_000, 40_000])
            return Allocation(
                rank, name, chip, (slot,), cpu_milli, memory_mib, share_milli=share[0], share_memory_mib=share[1]
            )
        count = min(len(slots), pick([1, 1, 2, 4, 8]))
        return Allocation(rank, name, chip, tuple(sorted(self.random.sample(slots, count))), cpu_milli, memory_mib)


def _ignore(_: object) -> None:
    """Let a value go."""
