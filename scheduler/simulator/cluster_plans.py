"""The cluster that is simulated: a file's or a live one's, with nodes added and drained."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from scheduler.adapters.files.inventory_file import MOST_DEVICES, MOST_NODES, Inventory, read_inventory
from scheduler.adapters.files.marked_yaml import suggest
from scheduler.core.model.chip import ChipType
from scheduler.core.model.node import DeviceGroup, Node, NodeState
from scheduler.core.model.topology import Topology

_ADDED = re.compile(r"([1-9]\d{0,5})x([1-9]\d{0,2})x([a-z0-9][-a-z0-9]{0,62})", re.ASCII)
_CPU_MILLI_PER_DEVICE, _MEMORY_MIB_PER_DEVICE, _PODS = 24_000, 262_144, 110
"""Of an added node whose chip type no other node has."""


class PlanError(ValueError):
    """A cluster cannot be as it was asked for; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Where a cluster comes from, and what is to be otherwise."""

    file: Path | None = None
    live: Sequence[Mapping[str, Any]] = ()
    """Nodes as the API tells of them, in place of a file."""
    live_chips: Sequence[Mapping[str, Any]] = ()
    """The catalogue as the API tells of it."""
    live_cluster: str | None = None
    """Which cluster of these; None: the only one."""
    add: tuple[str, ...] = ()
    """Nodes such as `4x8xh100-sxm`: four with eight devices each."""
    drain: tuple[str, ...] = ()
    """Names of nodes that take no work."""

    def catalogue(self) -> Iterator[ChipType]:
        """Yield the chip types that a live cluster's server knows."""
        names = [each.name for each in fields(ChipType)]
        for row in self.live_chips:
            known = {name: row[name] for name in names}
            yield ChipType(**{**known, "estimated_fields": tuple(known["estimated_fields"])})

    def read(self, chips: Collection[ChipType]) -> Inventory:
        """Return the cluster. Raises FileError, PlanError."""
        found = _live(self.live, self.live_cluster) if self.file is None else read_inventory(self.file, chips)
        nodes = list(found.nodes)
        for number, text in enumerate(self.add, start=1):
            nodes += _added(text, number, found, chips)
        if len(nodes) > MOST_NODES:
            raise PlanError(f"{len(nodes):,} nodes are too many; simulate at most {MOST_NODES:,}")
        return Inventory(found.cluster, tuple(_drained(nodes, self.drain)))


def _live(listed: Sequence[Mapping[str, Any]], cluster: str | None) -> Inventory:
    clusters = sorted({str(node["cluster"]) for node in listed})
    chosen = cluster or (clusters[0] if len(clusters) == 1 else None)
    if chosen not in clusters:
        raise PlanError(f"which cluster is not said; choose one of these by --cluster: {', '.join(clusters) or 'none'}")
    return Inventory(chosen, tuple(_live_node(node) for node in listed if node["cluster"] == chosen))


def _live_node(node: Mapping[str, Any]) -> Node:
    """Return a node as the API tells of it, empty, and without what others than Medley use there."""
    inner = [(level, domain) for level, domain in node["topology"].items() if level not in ("node", "cluster")]
    return Node(
        cluster=node["cluster"],
        name=node["name"],
        devices=tuple(DeviceGroup(one["chip"], one["count"], one["memory_mib"]) for one in node["devices"]),
        cpu_milli=node["cpu_milli"],
        memory_mib=node["memory_mib"],
        pods=node["pods"],
        topology=Topology(tuple(inner)),
        labels=tuple(sorted(node["labels"].items())),
        state=NodeState(node["state"]),
        tenant=node["tenant"],
    )


def _added(text: str, number: int, inventory: Inventory, chips: Collection[ChipType]) -> Iterator[Node]:
    match = _ADDED.fullmatch(text)
    if match is None:
        raise PlanError(f"{text!r} is nothing to add; write NODESxDEVICESxCHIP, such as 4x8xh100-sxm")
    count, devices, chip = int(match[1]), int(match[2]), match[3]
    memory_mib = {known.name: known.memory_mib for known in chips}
    if chip not in memory_mib:
        raise PlanError(f"unknown chip {chip!r} in {text!r}; {suggest(chip, memory_mib)}")
    if devices > MOST_DEVICES:
        raise PlanError(f"{devices} devices on one node in {text!r}; write at most {MOST_DEVICES}")
    if count > MOST_NODES:
        raise PlanError(f"{count:,} nodes in {text!r}; write at most {MOST_NODES:,}")
    alike = _alike(inventory, chip, devices) or Node(
        cluster=inventory.cluster,
        name="",
        devices=(DeviceGroup(chip, devices, memory_mib[chip] or 0),),
        cpu_milli=_CPU_MILLI_PER_DEVICE * devices,
        memory_mib=_MEMORY_MIB_PER_DEVICE * devices,
        pods=_PODS,
    )
    levels = [level for level, _ in inventory.nodes[0].topology.domains]
    place = Topology(tuple((level, f"added-{number}") for level in levels))
    for one in range(1, count + 1):
        yield replace(alike, name=f"added-{number}-{one}", topology=place)


def _alike(inventory: Inventory, chip: str, devices: int) -> Node | None:
    """Return a node that has just so many devices of a chip type, and is everybody's; None where there is none."""
    for node in inventory.nodes:
        if len(node.devices) == 1 and (node.devices[0].chip, node.devices[0].count) == (chip, devices):
            return replace(node, tenant=None, state=NodeState.READY, note="")
    return None


def _drained(nodes: Sequence[Node], names: Collection[str]) -> Iterator[Node]:
    known = {node.name for node in nodes} | {node.id for node in nodes}
    for name in names:
        if name not in known:
            raise PlanError(f"there is no node {name!r} to drain; {suggest(name, known)}")
    for node in nodes:
        is_drained = node.name in names or node.id in names
        yield replace(node, state=NodeState.DRAINED) if is_drained else node
