"""One node in the ledger: what it has, what is held on it, what is free."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.ledger.changes import Overcommitted
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, ChipName
from scheduler.core.model.node import Node


@dataclass(frozen=True, slots=True)
class Spare:
    """What a node has free besides devices; never below 0, even where the node shrank under what it runs."""

    cpu_milli: int
    memory_mib: int
    pods: int


class Occupancy:
    """A node with its holdings. Mutable; only the ledger changes it."""

    __slots__ = ("_cpu_milli", "_devices", "_free_slots", "_memory_mib", "_slots", "_workers", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self._slots: dict[int, AttemptId] = {}
        self._devices: dict[ChipName, int] = {}
        self._cpu_milli = 0
        self._memory_mib = 0
        self._workers = 0
        self._free_slots: dict[ChipName, tuple[int, ...]] = {}
        self._count_free()

    @property
    def is_held(self) -> bool:
        """True while a worker holds anything here."""
        return self._workers > 0

    @property
    def free_devices(self) -> dict[ChipName, int]:
        """Free devices per chip type of the node."""
        return {chip: len(slots) for chip, slots in self._free_slots.items()}

    def free_slots(self, chip: ChipName) -> tuple[int, ...]:
        """Return the free device slots of a chip type, lowest first.

        On a node that shrank under what it runs these are no more than its count of devices less those held, even
        where the held ones have slot numbers that it has no longer.
        """
        return self._free_slots.get(chip, ())

    def spare(self) -> Spare:
        """Return what is free besides devices."""
        return Spare(
            cpu_milli=max(0, self.node.cpu_milli - self._cpu_milli),
            memory_mib=max(0, self.node.memory_mib - self._memory_mib),
            pods=max(0, self.node.pods - self._workers),
        )

    def replace_node(self, node: Node) -> None:
        """Let the node be its new self under the same holdings."""
        self.node = node
        self._count_free()

    def check_slots(self, allocations: Sequence[Allocation]) -> None:
        """Raise Overcommitted if a slot is named twice or held already."""
        asked = [slot for allocation in allocations for slot in allocation.slots]
        free = len({slot for slot in asked if slot not in self._slots})
        if free < len(asked):
            raise Overcommitted(self.node.id, "slots", asked=len(asked), free=free)

    def check_room(self, allocations: Sequence[Allocation]) -> None:
        """Raise Overcommitted if the allocations do not fit into what is free."""
        self.check_slots(allocations)
        for chip, asked in _devices_by_chip(allocations).items():
            free = self.free_slots(chip)
            self._check("devices", asked, len(free))
            own = set(self.node.slots(chip))
            named = [slot for allocation in allocations if allocation.chip == chip for slot in allocation.slots]
            self._check("slots", len(named), sum(slot in own for slot in named))
        spare = self.spare()
        self._check("cpu", sum(allocation.cpu_milli for allocation in allocations), spare.cpu_milli)
        self._check("memory", sum(allocation.memory_mib for allocation in allocations), spare.memory_mib)
        self._check("pods", len(allocations), spare.pods)

    def take(self, attempt: AttemptId, allocations: Sequence[Allocation]) -> None:
        """Hold the allocations for an attempt; the slots must have been checked."""
        for allocation in allocations:
            for slot in allocation.slots:
                self._slots[slot] = attempt
        self._add(allocations, 1)

    def give_back(self, allocations: Sequence[Allocation]) -> None:
        """Free allocations that were taken."""
        for allocation in allocations:
            for slot in allocation.slots:
                del self._slots[slot]
        self._add(allocations, -1)

    def _check(self, resource: str, asked: int, free: int) -> None:
        if asked > free:
            raise Overcommitted(self.node.id, resource, asked=asked, free=free)

    def _add(self, allocations: Sequence[Allocation], sign: int) -> None:
        for chip, devices in _devices_by_chip(allocations).items():
            self._devices[chip] = self._devices.get(chip, 0) + sign * devices
        self._cpu_milli += sign * sum(allocation.cpu_milli for allocation in allocations)
        self._memory_mib += sign * sum(allocation.memory_mib for allocation in allocations)
        self._workers += sign * len(allocations)
        self._count_free()

    def _count_free(self) -> None:
        self._free_slots = {}
        for group in self.node.devices:
            unheld = [slot for slot in self.node.slots(group.chip) if slot not in self._slots]
            most = max(0, group.count - self._devices.get(group.chip, 0))
            self._free_slots[group.chip] = tuple(unheld[:most])


def _devices_by_chip(allocations: Sequence[Allocation]) -> dict[ChipName, int]:
    devices: dict[ChipName, int] = {}
    for allocation in allocations:
        devices[allocation.chip] = devices.get(allocation.chip, 0) + len(allocation.slots)
    return devices
