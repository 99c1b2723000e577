"""How much waits and how much there is, counted as things change: reading it looks at no job and no node."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scheduler.core.model.group import Group
from scheduler.core.model.identifiers import ChipName, ClusterName, GroupId, TenantName
from scheduler.core.model.job import AnyOf, Job, JobSpec
from scheduler.core.model.node import TAKES_WORK, Node, NodeState

_Kind = tuple[ClusterName, ChipName]
_Devices = tuple[int, int, int]
"""Usable, unusable and foreign ones."""


@dataclass(frozen=True, slots=True)
class QueueCount:
    """What one tenant has waiting for one chip type, the one that its jobs like best."""

    tenant: TenantName
    chip: ChipName | None
    """None for gangs that need no devices."""
    gangs: int
    devices_milli: int
    """What they ask for, in thousandths of devices."""
    oldest_since: datetime
    """Since when the one waits that has waited longest."""


@dataclass(frozen=True, slots=True)
class CapacityCount:
    """The devices of one chip type in one cluster."""

    cluster: ClusterName
    chip: ChipName
    usable: int
    """Of nodes that take work, less what others use there."""
    unusable: int
    """Of nodes that take nothing new, such as drained ones."""
    foreign: int
    """What somebody else than Medley uses, on any node."""


def wanted_chip(spec: JobSpec) -> ChipName | None:
    """Return the chip type that a job likes best, None where its main workers need no devices."""
    if isinstance(spec.chips, AnyOf):
        return spec.chips.chips[0] if spec.chips.chips else None
    return spec.chips.workers[0][0]


def asked_devices_milli(spec: JobSpec) -> int:
    """Return what a gang asks for in the size that it likes best, in thousandths of devices."""
    roles = sum(role.workers * role.shape.devices_milli for role in spec.roles)
    return spec.workers * spec.shape.devices_milli + roles


class Tally:
    """Counts of a state, kept by whoever keeps the state."""

    __slots__ = ("_capacity", "_queues", "version")

    def __init__(self) -> None:
        self._queues: dict[tuple[TenantName, ChipName | None], _Queue] = {}
        self._capacity: dict[_Kind, _Devices] = {}
        self.version = 0
        """Grows with every node that is counted otherwise."""

    def wait(self, job: Job, group: Group, since: datetime) -> None:
        """Count a group that begins to wait. Groups come in the order in which they begin."""
        key = (job.tenant, wanted_chip(job.spec))
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue()
        queue.since[group.id] = since
        queue.devices_milli += asked_devices_milli(job.spec)

    def leave(self, job: Job, group: Group) -> None:
        """Count a group no longer that waited."""
        key = (job.tenant, wanted_chip(job.spec))
        queue = self._queues[key]
        del queue.since[group.id]
        queue.devices_milli -= asked_devices_milli(job.spec)
        if not queue.since:
            del self._queues[key]

    def waiting_since(self, job: Job, group: GroupId) -> datetime | None:
        """Return since when a group waits, None where it does not."""
        queue = self._queues.get((job.tenant, wanted_chip(job.spec)))
        return None if queue is None else queue.since.get(group)

    def put_node(self, before: Node | None, after: Node | None) -> None:
        """Count a node as it is now instead of as it was; None for one that there is or was not."""
        self.version += 1
        for node, sign in ((before, -1), (after, 1)):
            for key, devices in _capacity_of(node):
                _add(self._capacity, key, devices, sign)

    def queues(self) -> tuple[QueueCount, ...]:
        """Return what waits, in no order that means anything."""
        return tuple(
            QueueCount(tenant, chip, len(queue.since), queue.devices_milli, next(iter(queue.since.values())))
            for (tenant, chip), queue in self._queues.items()
        )

    def usable(self, chip: ChipName) -> int:
        """Return how many devices of a chip type are on nodes that take work, in all clusters."""
        return sum(usable for (_, of_chip), (usable, _, _) in self._capacity.items() if of_chip == chip)

    def capacity(self) -> tuple[CapacityCount, ...]:
        """Return what there is of devices on nodes that are not GONE."""
        return tuple(CapacityCount(*key, *devices) for key, devices in self._capacity.items())


class _Queue:
    """Who waits, oldest first, and what they ask for together."""

    __slots__ = ("devices_milli", "since")

    def __init__(self) -> None:
        self.since: dict[GroupId, datetime] = {}
        self.devices_milli = 0


def _capacity_of(node: Node | None) -> Iterator[tuple[_Kind, _Devices]]:
    if node is None or node.state is NodeState.GONE:
        return
    takes_work = node.state in TAKES_WORK
    for group in node.devices:
        foreign = min(node.foreign.devices_of(group.chip), group.count)
        own = group.count - foreign
        yield (node.cluster, group.chip), (own if takes_work else 0, 0 if takes_work else own, foreign)


def _add(counts: dict[_Kind, _Devices], key: _Kind, devices: _Devices, sign: int) -> None:
    before = counts.get(key, (0, 0, 0))
    usable, unusable, foreign = (have + sign * more for have, more in zip(before, devices, strict=True))
    if usable or unusable or foreign:
        counts[key] = (usable, unusable, foreign)
    else:
        counts.pop(key, None)
