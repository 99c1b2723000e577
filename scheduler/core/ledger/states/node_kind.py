"""What alike nodes have in common: all that tells nodes apart but their names, places and notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scheduler.core.model.identifiers import ClusterName, TenantName
from scheduler.core.model.node import TAKES_WORK, DeviceGroup, ForeignUse, Node, NodeState

if TYPE_CHECKING:
    from scheduler.core.ledger.index.pool import Pool
    from scheduler.core.ledger.states.leftover import Leftover


Tier = tuple[TenantName | None, bool]
"""Whose nodes, None for anybody's, and whether they are degraded: nodes of one tier are as welcome as each other."""

KindKey = tuple[
    ClusterName,
    tuple[DeviceGroup, ...],
    int,
    int,
    int,
    tuple[tuple[str, str], ...],
    NodeState,
    TenantName | None,
    ForeignUse,
]


class NodeKind:
    """One class of nodes. There is one object for each, so that they are compared by identity."""

    __slots__ = (
        "cluster",
        "cpu_milli",
        "devices",
        "empty",
        "foreign",
        "group_of",
        "is_gone",
        "labels",
        "masks",
        "memory_mib",
        "pods",
        "pool_names",
        "pools",
        "state",
        "takes_work",
        "tenant",
        "tier",
        "whole_devices",
    )

    empty: Leftover
    """What its nodes have left when Medley runs nothing on them; set by whoever makes a kind."""

    pools: tuple[Pool, ...]
    """The pools its nodes belong to: one per chip type and one for those who need no device; none if they are gone."""

    def __init__(self, key: KindKey) -> None:
        self.cluster, self.devices, self.cpu_milli, self.memory_mib, self.pods = key[:5]
        self.labels, self.state, self.tenant, self.foreign = key[5:]
        self.takes_work = self.state in TAKES_WORK
        self.is_gone = self.state is NodeState.GONE
        self.tier: Tier = (self.tenant, self.state is NodeState.DEGRADED)
        self.group_of = {group.chip: place for place, group in enumerate(self.devices)}
        """Where among `devices` a chip type stands."""
        self.pool_names = dict.fromkeys((self.cluster, chip) for chip in (None, *self.group_of))
        """The same as of its pools, whether it is gone or not; None stands for those who need no device."""
        self.whole_devices = tuple(group.count - self.foreign.devices_of(group.chip) for group in self.devices)
        """Per device group those not in foreign hands; below 0 where others have more than there are."""
        self.masks = tuple(_masks(self.devices))
        """Per device group its slots as bits."""


def _masks(devices: tuple[DeviceGroup, ...]) -> Iterator[int]:
    first = 0
    for group in devices:
        yield ((1 << group.count) - 1) << first
        first += group.count


def kind_key(node: Node) -> KindKey:
    """Return what alike nodes share: equal for nodes of one kind."""
    return (
        node.cluster,
        node.devices,
        node.cpu_milli,
        node.memory_mib,
        node.pods,
        node.labels,
        node.state,
        node.tenant,
        node.foreign,
    )
