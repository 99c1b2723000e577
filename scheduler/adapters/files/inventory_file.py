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
        nvidia-5: {type: h100-8, state: degraded, note: one fan is slow}   # or suspect, or drained
      nvidia-r2:
        tenant: vision                 # only this tenant may use the rack; also within a node's braces
        nvidia-[6-9]: h100-8

Where there is more to the network than racks, `levels` and `domains` stand in place of `racks`, nested in this order::

    levels: [zone, block, rack]        # outermost first
    domains:
      east:
        east-b1:                       # the name of a domain is the only one of its level in the cluster
          east-b1-r1: {"n-[1-4]": h100-8}

A `tenant` may stand in any domain, and around all of them; the innermost one counts.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scheduler.adapters.files.marked_yaml import Marked, read_marked, suggest
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.node import DeviceGroup, Node, NodeState
from scheduler.core.model.resources import MILLI_CORES_PER_CORE
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Topology

MOST_NODES = 100_000
MOST_DEVICES = 64
"""Of one chip type on one node."""

_MOST_CHIP_TYPES = 16
_MOST_CPU_CORES = 10_000
_MOST_MEMORY_GIB = 1_000_000
_MOST_PODS = 10_000
_MOST_LABELS = 32
_MOST_LEVELS = 8
_LONGEST_NOTE = 200
_DEFAULT_PODS = 110
_MIB_PER_GIB = 1024

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_RANGE = re.compile(r"(?P<before>[-a-z0-9]*)\[(?P<first>[0-9]{1,6})-(?P<last>[0-9]{1,6})\](?P<after>[-a-z0-9]*)")
_LABEL = re.compile(r"[A-Za-z0-9._/-]{1,63}")
_LABEL_RULE = "use 1 to 63 letters, digits and . _ / -"
_NAME_RULE = "use at most 63 lower-case letters, digits and dashes"
_TENANT = "tenant"
_STATES = tuple(state.value for state in NodeState if state is not NodeState.GONE)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a cluster file declares."""

    cluster: ClusterName
    nodes: tuple[Node, ...]
    """In the order of the file."""


def read_inventory(path: Path, chips: Collection[ChipType]) -> Inventory:
    """Return the cluster of a file; its chips are those of the catalogue. Raises FileError."""
    whole = read_marked(path)
    fields = whole.fields(required=("cluster", "node_types"), optional=("racks", "levels", "domains"))
    cluster = _name(fields["cluster"], fields["cluster"].text())
    memories_mib = {chip.name: chip.memory_mib for chip in chips}
    types = {name: _node_type(cluster, entry, memories_mib) for name, entry in fields["node_types"].entries().items()}
    levels, domains = _places(whole, fields)
    nodes = _Nodes(types)
    nodes.read(domains, levels, _Place(tenant=_tenant(domains.entries(), None)))
    if not nodes.found:
        what_to_do = f"declare at least one {levels[-1]} with a node"
        raise domains.error("the cluster has no nodes", what_to_do=what_to_do)
    return Inventory(cluster, tuple(nodes.found.values()))


def _places(whole: Marked, fields: Mapping[str, Marked]) -> tuple[tuple[str, ...], Marked]:
    """Return the levels of the topology, outermost first, and the outermost domains."""
    if "racks" not in fields and "domains" not in fields:
        raise whole.error("'racks' is missing", what_to_do="add it, or 'levels' and 'domains'")
    if "racks" in fields:
        for other in ("levels", "domains"):
            if other in fields:
                what_to_do = "give either 'racks', or 'levels' and 'domains'"
                raise fields[other].error(f"{other!r} beside 'racks'", what_to_do=what_to_do)
        return (RACK,), fields["racks"]
    if "levels" not in fields:
        raise fields["domains"].error("'levels' is missing", what_to_do="name the levels, as in [zone, block, rack]")
    return tuple(_levels(fields["levels"])), fields["domains"]


def _levels(entry: Marked) -> list[str]:
    items = entry.items()
    if not 1 <= len(items) <= _MOST_LEVELS:
        raise entry.error(f"{len(items)} levels", what_to_do=f"name from 1 to {_MOST_LEVELS} of them")
    levels: list[str] = []
    for item in items:
        level = _name(item, item.text())
        if level in (NODE, CLUSTER):
            raise item.error(f"{level!r} is a level of every topology", what_to_do="leave it out")
        if level in levels:
            raise item.error(f"level {level!r} stands here twice", what_to_do="keep one")
        levels.append(level)
    return levels


@dataclass(frozen=True, slots=True)
class _Place:
    """Where nodes are, and whose they are by that."""

    domains: tuple[tuple[str, str], ...] = ()
    """Smallest first."""
    tenant: TenantName | None = None


class _Nodes:
    """The nodes of the domains that were read so far."""

    def __init__(self, types: Mapping[str, Node]) -> None:
        self.found: dict[str, Node] = {}
        self._types = types
        self._domains: set[tuple[str, str]] = set()

    def read(self, entry: Marked, levels: Sequence[str], place: _Place) -> None:
        """Read the domains of the first level, with all that is in them; without levels: the nodes."""
        for name, inner in entry.entries().items():
            if name == _TENANT:
                continue
            if not levels:
                self._add(name, inner, place)
                continue
            domain = (levels[0], _name(inner, name))
            if domain in self._domains:
                what = f"{levels[0]} {name!r} is declared twice"
                raise inner.error(what, what_to_do=f"give each {levels[0]} its own name")
            self._domains.add(domain)
            tenant = _tenant(inner.entries(), place.tenant)
            self.read(inner, levels[1:], _Place((domain, *place.domains), tenant))

    def _add(self, pattern: str, entry: Marked, place: _Place) -> None:
        node = _node(entry, self._types, place)
        for name in _names(entry, pattern):
            if name in self.found:
                raise entry.error(f"node {name!r} is declared twice", what_to_do="give each node its own name")
            self.found[name] = replace(node, name=name)
        if len(self.found) > MOST_NODES:
            raise entry.error("too many nodes", what_to_do=f"declare at most {MOST_NODES:,} in one cluster")


def _node(entry: Marked, types: Mapping[str, Node], place: _Place) -> Node:
    """Return a node without a name, from its type's name or from a mapping that has more to say."""
    fields = {"type": entry}
    if isinstance(entry.value, dict):
        fields = entry.fields(required=("type",), optional=(_TENANT, "state", "note"))
    return replace(
        _named_type(fields["type"], types),
        topology=Topology(place.domains),
        tenant=_tenant(fields, place.tenant),
        state=_state(fields["state"]) if "state" in fields else NodeState.READY,
        note=_note(fields["note"]) if "note" in fields else "",
    )


def _tenant(fields: Mapping[str, Marked], outer: TenantName | None) -> TenantName | None:
    entry = fields.get(_TENANT)
    return outer if entry is None else _name(entry, entry.text())


def _state(entry: Marked) -> NodeState:
    text = entry.text()
    if text not in _STATES:
        raise entry.error(f"unknown state {text[:63]!r}", what_to_do=suggest(text[:63], _STATES))
    return NodeState(text)


def _note(entry: Marked) -> str:
    text = entry.text()
    if len(text) > _LONGEST_NOTE or not text.isprintable():
        what_to_do = f"use at most {_LONGEST_NOTE} printable characters in one line"
        raise entry.error(f"the note {text[:63]!r} cannot stand here", what_to_do=what_to_do)
    return text


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
