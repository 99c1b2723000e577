"""One node of Kubernetes as a node of Medley."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration, TopologyLevel
from scheduler.adapters.kubernetes.configuration.pools import Toleration
from scheduler.adapters.kubernetes.identity import TENANT_LABEL
from scheduler.adapters.kubernetes.nodes.health import Complaint, keeps_away, worst
from scheduler.adapters.kubernetes.nodes.rules import MOST_DEVICES, Catalogue, Found, Recognition, recognise
from scheduler.adapters.kubernetes.views import NodeView, PodView, Taint
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.node import DeviceGroup, ForeignUse, Node
from scheduler.core.model.topology import Topology

LONGEST_NOTE = 200

_MOST_CPU_MILLI = 10_000_000
_MOST_MEMORY_MIB = 1_000_000_000
_MOST_PODS = 10_000
_LABEL_VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Portrait:
    """What follows from a node alone, whoever uses it."""

    view: NodeView
    recognition: Recognition
    untolerated: tuple[Taint, ...]
    """Taints that keep our pods away."""
    tolerations: tuple[Toleration, ...]
    """What a pod without devices has to put up with there, because pods with devices do; most often nothing."""
    topology: Topology
    labels: tuple[tuple[str, str], ...]
    """Of those that jobs can ask for: few, because nodes count as alike only where they are the same."""
    tenant: TenantName | None
    """The only one that may use it, by the operator's label."""


def draw(view: NodeView, configuration: ClusterConfiguration, catalogue: Catalogue) -> Portrait:
    """Return a node's portrait. Whatever a node says of itself, this does not fail."""
    recognition = recognise(view, configuration.chip_rules, catalogue)
    tolerations = _tolerations(view, recognition.found, configuration)
    return Portrait(
        view=view,
        recognition=recognition,
        untolerated=tuple(_untolerated(view, tolerations)),
        tolerations=tuple(dict.fromkeys(_needed(view, tolerations))),
        topology=_topology(view, configuration.topology),
        labels=_labels(view, configuration.labels_of_nodes),
        tenant=view.labels.get(TENANT_LABEL) or None,
    )


def as_node(portrait: Portrait, cluster: str, foreign: Iterable[PodView], complaints: Sequence[Complaint]) -> Node:
    """Return what the core schedules: all that the node has, with what `foreign` pods use of it beside it."""
    used: Counter[str] = Counter(pods=0)
    for pod in foreign:
        used["pods"] += 1
        used.update(dict(pod.requests))
    offered = dict(portrait.view.allocatable)
    found = portrait.recognition.found

    def has(resource: str, most: int) -> int:
        return min(offered.get(resource, 0), most)

    def uses(resource: str, most: int) -> int:
        return min(used[resource], has(resource, most))

    by_chip = ((devices.chip, uses(devices.resource, MOST_DEVICES)) for devices in found)
    return Node(
        cluster=cluster,
        name=portrait.view.name,
        devices=tuple(
            DeviceGroup(devices.chip, has(devices.resource, MOST_DEVICES), devices.memory_mib) for devices in found
        ),
        cpu_milli=has("cpu", _MOST_CPU_MILLI),
        memory_mib=has("memory", _MOST_MEMORY_MIB),
        pods=has("pods", _MOST_PODS),
        topology=portrait.topology,
        labels=portrait.labels,
        state=worst(complaints),
        note=_note(portrait, complaints),
        tenant=portrait.tenant,
        foreign=ForeignUse(
            devices=tuple((chip, count) for chip, count in by_chip if count),
            cpu_milli=uses("cpu", _MOST_CPU_MILLI),
            memory_mib=uses("memory", _MOST_MEMORY_MIB),
            pods=uses("pods", _MOST_PODS),
        ),
    )


def _note(portrait: Portrait, complaints: Sequence[Complaint]) -> str:
    unreadable = (f"cannot read {text[:60]!r}" for text in portrait.view.unreadable)
    note = "; ".join((*(complaint.text for complaint in complaints), *portrait.recognition.notes, *unreadable))
    return note if len(note) <= LONGEST_NOTE else note[: LONGEST_NOTE - 3] + "..."


_Tolerations = tuple[Toleration, ...]


def _tolerations(view: NodeView, found: Sequence[Found], configuration: ClusterConfiguration) -> list[_Tolerations]:
    """Return what each kind of pod puts up with: one kind per chip type, or the pods without devices."""
    if not found:
        return [configuration.pool(None, view.labels).tolerations]
    return [
        configuration.tolerations(devices.resource, configuration.pool(devices.chip, view.labels)) for devices in found
    ]


def _untolerated(view: NodeView, by_kind: Sequence[_Tolerations]) -> Iterator[Taint]:
    """Yield taints that pods of some kind do not put up with."""
    for taint in filter(keeps_away, view.taints):
        if not all(
            any(one.accepts(taint.key, taint.value, taint.effect) for one in tolerations) for tolerations in by_kind
        ):
            yield taint


def _needed(view: NodeView, by_kind: Sequence[_Tolerations]) -> Iterator[Toleration]:
    """Yield the tolerations without which nothing gets onto the node."""
    for taint in filter(keeps_away, view.taints):
        yield from (
            one for tolerations in by_kind for one in tolerations if one.accepts(taint.key, taint.value, taint.effect)
        )


def _topology(view: NodeView, levels: Sequence[TopologyLevel]) -> Topology:
    """Return the node's domains, smallest first; each is named with those around it, so that names do not meet.

    A level whose label is missing or no label value is left out.
    """
    domains: list[tuple[str, str]] = []
    path = ""
    for level in levels:
        value = view.labels.get(level.label, "")
        if _LABEL_VALUE.fullmatch(value):
            path = f"{path}/{value}" if path else value
            domains.append((level.name, path))
    return Topology(tuple(reversed(domains)))


def _labels(view: NodeView, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the labels of these names: vendors and node feature discovery put on hundreds, and some say who it is."""
    values = ((name, view.labels.get(name, "")) for name in sorted(names))
    return tuple((name, value) for name, value in values if _LABEL_VALUE.fullmatch(value))
