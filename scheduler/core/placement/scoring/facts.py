"""What is usual in a cluster's hardware: what nodes are measured by."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.identifiers import ChipName


@dataclass(frozen=True, slots=True)
class HardwareFacts:
    """Figures of all nodes together, whatever runs on them."""

    cpu_milli_per_device: float = 0.0
    """What the median device has; 0 where there is none."""
    devices_per_node: int = 1
    """What the node of the median device has."""
    shares: Mapping[ChipName, float] = field(default_factory=lambda: MappingProxyType({}))
    """Each chip type's part of all devices."""


NO_FACTS = HardwareFacts()


def facts_of(kinds: Iterable[tuple[NodeKind, int]]) -> HardwareFacts:
    """Return the facts of so many nodes of these kinds."""
    per_chip: dict[ChipName, int] = {}
    ratios: list[tuple[float, int]] = []
    sizes: list[tuple[float, int]] = []
    for kind, nodes in kinds:
        devices = sum(group.count for group in kind.devices)
        if not devices:
            continue
        for group in kind.devices:
            per_chip[group.chip] = per_chip.get(group.chip, 0) + group.count * nodes
        ratios.append((kind.cpu_milli / devices, devices * nodes))
        sizes.append((devices, devices * nodes))
    total = sum(per_chip.values())
    if not total:
        return NO_FACTS
    shares = {chip: count / total for chip, count in sorted(per_chip.items())}
    return HardwareFacts(_median(ratios), round(_median(sizes)), MappingProxyType(shares))


def _median(weighted: list[tuple[float, int]]) -> float:
    """Return the weighted median, the lower one of two."""
    half = sum(weight for _, weight in weighted) / 2
    below = 0
    for value, weight in sorted(weighted):
        below += weight
        if below >= half:
            return value
    return 0.0
