"""Clusters, nodes, their devices, and the pools that alike nodes form."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.identifiers import ChipName, ClusterName, NodeId, TenantName, node_id
from scheduler.core.model.topology import Topology


class NodeState(StrEnum):
    """Whether a node takes new work."""

    READY = "ready"
    """Takes new work."""
    DEGRADED = "degraded"
    """Works, but not as it should: takes new work only where no other node has room."""
    SUSPECT = "suspect"
    """May be broken: keeps what it runs, takes nothing new until somebody knows better."""
    DRAINED = "drained"
    """An operator's wish, told to Medley or to the cluster: keeps what it runs, takes nothing new."""
    GONE = "gone"
    """No longer in its cluster's inventory; its row stays while something refers to it."""


LONGEST_NOTE = 200
"""Characters of what is noted about a node."""
TAKES_WORK = frozenset({NodeState.READY, NodeState.DEGRADED})


@dataclass(frozen=True, slots=True)
class DeviceGroup:
    """The devices of one chip type on one node."""

    chip: ChipName
    count: int
    memory_mib: int
    """Memory of one device."""


@dataclass(frozen=True, slots=True)
class ForeignUse:
    """What somebody else than Medley uses on a node."""

    devices: tuple[tuple[ChipName, int], ...] = ()
    """Whole devices by chip type; nobody says which slots they are."""
    cpu_milli: int = 0
    memory_mib: int = 0
    pods: int = 0

    def devices_of(self, chip: ChipName) -> int:
        """Return the devices of a chip type."""
        return sum(count for name, count in self.devices if name == chip)


NO_FOREIGN_USE = ForeignUse()


@dataclass(frozen=True, slots=True)
class Node:
    """One machine of a cluster. Device slots are numbered from 0 through the groups, in their order."""

    cluster: ClusterName
    name: str
    devices: tuple[DeviceGroup, ...]
    cpu_milli: int
    memory_mib: int
    pods: int
    """How many workers may run there at once."""
    topology: Topology = field(default_factory=Topology)
    labels: tuple[tuple[str, str], ...] = ()
    state: NodeState = NodeState.READY
    note: str = ""
    """Why it is not READY, or what an operator should know of it; bounded to LONGEST_NOTE."""
    tenant: TenantName | None = None
    """The only tenant that may use it; None for any."""
    foreign: ForeignUse = NO_FOREIGN_USE

    @property
    def id(self) -> NodeId:
        """`cluster/node`."""
        return node_id(self.cluster, self.name)

    def is_as_large_as(self, before: "Node") -> bool:
        """Say whether it would hold what it would have held as it was before, were it empty and ready both times."""
        alike = replace(before, state=self.state, note=self.note, foreign=self.foreign)
        return self.state is not NodeState.GONE and self == alike

    def slots(self, chip: ChipName) -> range:
        """Return the slot numbers of a chip type's devices; empty where the node has none."""
        first = 0
        for group in self.devices:
            if group.chip == chip:
                return range(first, first + group.count)
            first += group.count
        return range(0)


@dataclass(frozen=True, slots=True)
class Drain:
    """An operator's wish that a node takes nothing new, whatever its cluster says; kept until it is taken back."""

    by: str
    """Who wishes it."""
    at: datetime
    note: str = ""
    """Why, for people; bounded to LONGEST_NOTE."""


LOCAL_KIND = "local"
KUBERNETES_KIND = "kubernetes"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A set of nodes that one adapter drives."""

    name: ClusterName
    kind: str
    """Which adapter drives it: `local` or `kubernetes`."""
    binds_devices: bool = True
    """A worker gets exactly the device slots of its allocation; elsewhere whole devices are only counted."""
    enforces_shares: bool = True
    """A share of a device can be given and is enforced."""

    @property
    def declares_its_nodes(self) -> bool:
        """Whether an operator writes down its nodes; elsewhere they come, shrink and go by themselves."""
        return self.kind == LOCAL_KIND


@dataclass(frozen=True, slots=True)
class Pool:
    """The nodes of one cluster with the same chip type, device memory and device count."""

    cluster: ClusterName
    chip: ChipName
    device_memory_mib: int
    devices_per_node: int
    nodes: int
    """Nodes that are in the cluster's inventory."""
    devices: int
    """All devices of the pool: those of drained nodes included, and of nodes that are gone those still held."""
    devices_held: int
    """Devices of which anything is held: one that is shared counts as a whole one, however little of it is held."""
    devices_drained: int
    """Devices that nobody uses on nodes that take nothing new: drained or suspect ones."""
    devices_foreign: int = 0
    """Devices that somebody else than Medley uses."""

    @property
    def name(self) -> str:
        """A readable key, such as `mixed/h100-sxm-81920-x8`."""
        return pool_name(self.cluster, DeviceGroup(self.chip, self.devices_per_node, self.device_memory_mib))

    @property
    def devices_free(self) -> int:
        """Whole devices that a new attempt could take."""
        return self.devices - self.devices_held - self.devices_drained - self.devices_foreign


def pool_name(cluster: ClusterName, devices: DeviceGroup) -> str:
    """Return the name of the pool of nodes with such devices, such as `mixed/h100-sxm-81920-x8`."""
    return f"{cluster}/{devices.chip}-{devices.memory_mib}-x{devices.count}"
