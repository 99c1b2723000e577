"""The nodes of a simulated cluster as a YAML file, in which nodes that are alike are described once.

The format::

    cluster: mixed
    node_types:
      h100-8:
        devices: {h100-sxm: 8}         # chip names of the catalogue, with a count each
        cpu_cores: 192
        memory_gib: 2048
        pods: 110                      # optional: how many workers may run there at once
        labels: {generation: hopper}   # optional
    racks:
      nvidia-r1:
        nvidia-[1-4]: h100-8           # a name, or a range of names: nvidia-1 to nvidia-4; [01-16] keeps the zero
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scheduler.adapters.files.marked_yaml import Marked, read_marked, suggest
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, ClusterName
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.resources import MILLI_CORES_PER_CORE
from scheduler.core.model.topology import RACK, Topology

MOST_NODES = 100_000
MOST_DEVICES = 64
"""Of one chip type on one node."""

_MOST_CHIP_TYPES = 16
_MOST_CPU_CORES = 10_000
_MOST_MEMORY_GIB = 1_000_000
_MOST_PODS = 10_000
_MOST_LABELS = 32
_DEFAULT_PODS = 110
_MIB_PER_GIB = 1024

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_RANGE = re.compile(r"(?P<before>[-a-z0-9]*)\[(?P<first>[0-9]{1,6})-(?P<last>[0-9]{1,6})\](?P<after>[-a-z0-9]*)")
_LABEL = re.compile(r"[A-Za-z0-9._/-]{1,63}")
_LABEL_RULE = "use 1 to 63 letters, digits and . _ / -"
_NAME_RULE = "use at most 63 lower-case letters, digits and dashes"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a cluster file declares."""

    cluster: ClusterName
    nodes: tuple[Node, ...]
    """In the order of the file."""


def read_inventory(path: Path, chips: Collection[ChipType]) -> Inventory:
    """Return the cluster of a file; its chips are those of the catalogue. Raises FileError."""
    fields = read_marked(path).fields(required=("cluster", "node_types", "racks"))
    cluster = _name(fields["cluster"], fields["cluster"].text())
    memories_mib = {chip.name: chip.memory_mib for chip in chips}
    types = {name: _node_type(cluster, entry, memories_mib) for name, entry in fields["node_types"].entries().items()}
    nodes: dict[str, Node] = {}
    for rack, entry in fields["racks"].entries().items():
        _name(entry, rack)
        for pattern, type_entry in entry.entries().items():
            node_type = _named_type(type_entry, types)
            for name in _names(type_entry, pattern):
                if name in nodes:
                    raise type_entry.error(f"node {name!r} is declared twice", what_to_do="give each node its own name")
                nodes[name] = _node(node_type, name, rack)
            if len(nodes) > MOST_NODES:
                raise type_entry.error("too many nodes", what_to_do=f"declare at most {MOST_NODES:,} in one cluster")
    if not nodes:
        raise fields["racks"].error("the cluster has no nodes", what_to_do="declare at least one rack with a node")
    return Inventory(cluster, tuple(nodes.values()))


def _node_type(cluster: ClusterName, entry: Marked, memories_mib: Mapping[ChipName, int | None]) -> Node:
    """Return a node without a name or a place."""
    fields = entry.fields(required=("devices", "cpu_cores", "memory_gib"), optional=("pods", "labels"))
    memory_gib = fields["memory_gib"].whole_number(least=1, most=_MOST_MEMORY_GIB)
    return Node(
        cluster=cluster,
        name="",
        devices=tuple(_devices(fields["devices"], memories_mib)),
        cpu_milli=fields["cpu_cores"].whole_number(least=1, most=_MOST_CPU_CORES) * MILLI_CORES_PER_CORE,
        memory_mib=memory_gib * _MIB_PER_GIB,
        pods=fields["pods"].whole_number(least=1, most=_MOST_PODS) if "pods" in fields else _DEFAULT_PODS,
        labels=tuple(_labels(fields["labels"])) if "labels" in fields else (),
    )


def _devices(entry: Marked, memories_mib: Mapping[ChipName, int | None]) -> Iterator[DeviceGroup]:
    entries = entry.entries()
    if not 1 <= len(entries) <= _MOST_CHIP_TYPES:
        raise entry.error(
            f"{len(entries)} chip types on one node", what_to_do=f"declare from 1 to {_MOST_CHIP_TYPES} of them"
        )
    for chip, count in entries.items():
        if chip not in memories_mib:
            raise count.error(f"unknown chip {chip!r}", what_to_do=suggest(chip, memories_mib))
        memory_mib = memories_mib[chip]
        if memory_mib is None:
            raise count.error(f"nobody said how much memory {chip!r} has", what_to_do="set its memory_mib first")
        yield DeviceGroup(chip, count.whole_number(least=1, most=MOST_DEVICES), memory_mib)


def _labels(entry: Marked) -> Iterator[tuple[str, str]]:
    entries = entry.entries()
    if len(entries) > _MOST_LABELS:
        raise entry.error(f"{len(entries)} labels are too many", what_to_do=f"keep at most {_MOST_LABELS}")
    for name, value in sorted(entries.items()):
        for text in (name, value.text()):
            if not _LABEL.fullmatch(text):
                raise value.error(f"{text[:63]!r} cannot be in a label", what_to_do=_LABEL_RULE)
        yield name, value.text()


def _named_type(entry: Marked, types: Mapping[str, Node]) -> Node:
    name = entry.text()
    if name not in types:
        raise entry.error(f"unknown node type {name!r}", what_to_do=suggest(name, types))
    return types[name]


def _names(entry: Marked, pattern: str) -> Iterator[str]:
    """Yield the names that a name or a range of names stands for."""
    match = _RANGE.fullmatch(pattern)
    if match is None:
        yield _name(entry, pattern)
        return
    first, last = int(match["first"]), int(match["last"])
    if not first <= last < first + MOST_NODES:
        raise entry.error(f"{pattern!r} is no range", what_to_do="write the smaller number first, as in node-[1-16]")
    width = len(match["first"]) if match["first"].startswith("0") else 0
    for number in range(first, last + 1):
        yield _name(entry, f"{match['before']}{number:0{width}d}{match['after']}")


def _name(entry: Marked, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise entry.error(f"{name[:63]!r} cannot be a name", what_to_do=_NAME_RULE)
    return name


def _node(node_type: Node, name: str, rack: str) -> Node:
    return Node(
        cluster=node_type.cluster,
        name=name,
        devices=node_type.devices,
        cpu_milli=node_type.cpu_milli,
        memory_mib=node_type.memory_mib,
        pods=node_type.pods,
        topology=Topology(((RACK, rack),)),
        labels=node_type.labels,
    )
