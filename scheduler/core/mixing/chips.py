"""Pools to plan with, from what the chip catalogue says of chip types and from what is free."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.training import Precision
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName

WITHOUT_BF16 = ("p40", "p100", "v100", "t4", "ascend-310", "ascend-910a")
"""What names of chip types begin with that have no BF16 matrix units."""
FP32_SHARE = 1 / 8
"""What is supposed of a chip in FP32, by its rate in BF16: data sheets say from a half (TF32) to a sixteenth."""
LINK_SHARE = 1 / 3
"""What all-reduces of a training reach of a link's rate one way: 100 of 300 GB/s on an A100, fitted to the llama3_8B
runs of FlagPerf."""
SUPPOSED_LINK_BYTES_PER_S = 16e9
"""Between the devices of a node of which nobody says: half of what PCIe 4 x16 has."""
_TERA, _GIGA, _MIB = 1e12, 1e9, 1 << 20
_BITS = 8


class Unusable(StrEnum):
    """Why devices cannot take part."""

    PRECISION = "precision"
    """They do not have the precision of the training."""
    RATE = "rate"
    """Nobody knows what they do: neither measured, nor of a data sheet, nor stated."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What whoever asks knows better than the catalogue, or what it does not say."""

    node_link_bytes_per_s: float = 25e9
    """Of the network of one node, one way."""
    flops_per_s: Mapping[ChipName, float] = field(default_factory=lambda: MappingProxyType({}))
    """Of one device in a large matrix multiplication, by chip type; counts as measured."""


@dataclass(frozen=True, slots=True)
class FreeChips:
    """Devices that are free on nodes that are alike."""

    name: str
    chip: ChipType
    nodes: int
    chips_per_node: int
    memory_mib: int
    node_link_bytes_per_s: float | None = None
    """None: as stated for all."""


def pool_of(free: FreeChips, precision: Precision, stated: Stated) -> ChipPool | Unusable:
    """Return free devices as a pool to plan with, or why they cannot take part.

    A rate that was neither stated nor measured is an estimate, and one in FP32 always.
    """
    chip = free.chip
    precisions = precisions_of(chip)
    if precision not in precisions:
        return Unusable.PRECISION
    said = stated.flops_per_s.get(chip.name)
    known_tflops = chip.planning_tflops
    if said is None and not known_tflops:
        return Unusable.RATE
    is_reckoned = precision is Precision.FP32 and said is None
    flops_per_s = said if said is not None else (known_tflops or 0.0) * _TERA * (FP32_SHARE if is_reckoned else 1.0)
    return ChipPool(
        name=free.name,
        chip=chip.name,
        vendor=chip.vendor,
        nodes=free.nodes,
        chips_per_node=free.chips_per_node,
        memory_bytes=free.memory_mib * _MIB,
        flops_per_s=flops_per_s,
        device_link_bytes_per_s=device_link_bytes_per_s(chip),
        node_link_bytes_per_s=free.node_link_bytes_per_s or stated.node_link_bytes_per_s,
        precisions=precisions,
        worth=known_tflops or flops_per_s / _TERA,
        is_estimate=said is None and (chip.rate_is_estimate or is_reckoned),
    )


def precisions_of(chip: ChipType) -> frozenset[Precision]:
    """Return what a chip type multiplies matrices in."""
    lacks_bf16 = chip.name.startswith(WITHOUT_BF16)
    return frozenset(Precision) - ({Precision.BF16} if lacks_bf16 else set())


def device_link_bytes_per_s(chip: ChipType) -> float:
    """Return what is planned with between devices of one node, one way; the catalogue counts both ways together."""
    if chip.link_bandwidth_gb_s is None:
        return SUPPOSED_LINK_BYTES_PER_S
    return chip.link_bandwidth_gb_s / 2 * _GIGA * LINK_SHARE


def bytes_per_s(gbit_s: float) -> float:
    """Return a network's rate in bytes, as networks are bought by bits."""
    return gbit_s * _GIGA / _BITS
