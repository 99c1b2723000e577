"""Chips that are free, in pools of one kind, and what connects them."""

from dataclasses import dataclass, field

from scheduler.core.mixing.asked.training import Precision
from scheduler.core.model.identifiers import ChipName


@dataclass(frozen=True, slots=True)
class ChipPool:
    """Nodes that are alike: their devices are interchangeable."""

    name: str
    """Unlike that of any other pool."""
    chip: ChipName
    vendor: str
    nodes: int
    chips_per_node: int
    memory_bytes: int
    """Of one device."""
    flops_per_s: float
    """What one device does in a large matrix multiplication in the precision of the training; measured where known."""
    device_link_bytes_per_s: float
    """From one device to another of its node, one way."""
    node_link_bytes_per_s: float
    """Of the network of one node, one way; its devices share it."""
    efficiency: float = 0.65
    """What layers of a model reach of `flops_per_s`; fitted where profiles are known."""
    reserved_bytes: int = 4 << 30
    """What the runtime takes of a device whatever it trains: context, buffers of communication, slack."""
    host_copy_bytes_per_s: float = 20e9
    """Between a device and its host's memory, one way; for edges that go through hosts."""
    precisions: frozenset[Precision] = field(default_factory=lambda: frozenset(Precision))
    worth: float = 1.0
    """Normalised compute of one device, for budgets."""
    is_estimate: bool = False
    """The rate is of a data sheet, or supposed: nobody measured it."""

    @property
    def chips(self) -> int:
        """All devices of the pool."""
        return self.nodes * self.chips_per_node


@dataclass(frozen=True, slots=True)
class Link:
    """What connects two pools."""

    bytes_per_s: float
    """One way, for one pair of nodes."""
    latency_s: float = 20e-6
    goes_through_hosts: bool = False
    """Devices of one cannot send to devices of the other: what is sent is copied to the host and from it."""
