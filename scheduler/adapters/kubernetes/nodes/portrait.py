"""One node of Kubernetes as a node of Medley."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration, TopologyLevel
from scheduler.adapters.kubernetes.nodes.health import keeps_away
from scheduler.adapters.kubernetes.nodes.rules import MOST_DEVICES, Catalogue, Found, Recognition, recognise
from scheduler.adapters.kubernetes.views import NodeView, PodView, Taint
from scheduler.core.model.node import DeviceGroup, Node, NodeState
from scheduler.core.model.topology import Topology

LONGEST_NOTE = 200

_MOST_CPU_MILLI = 10_000_000
_MOST_MEMORY_MIB = 1_000_000_000
_MOST_PODS = 10_000
_MOST_LABELS = 32
_SHOWN_LABELS = ("kubernetes.io/arch", "node.kubernetes.io/instance-type")
_OUR_LABELS = "medley/"
_LABEL_VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LABEL_NAME = re.compile(r"[A-Za-z0-9._/-]{1,63}")


@dataclass(frozen=True, slots=True)
class Portrait:
    """What follows from a node alone, whoever uses it."""

    view: NodeView
    recognition: Recognition
    untolerated: tuple[Taint, ...]
    """Taints that keep our pods away."""
    topology: Topology
    labels: tuple[tuple[str, str], ...]


def draw(view: NodeView, configuration: ClusterConfiguration, catalogue: Catalogue) -> Portrait:
    """Return a node's portrait. Whatever a node says of itself, this does not fail."""
    recognition = recognise(view, configuration.chip_rules, catalogue)
    return Portrait(
        view=view,
        recognition=recognition,
        untolerated=tuple(_untolerated(view, recognition.found, configuration)),
        topology=_topology(view, configuration.topology),
        labels=_labels(view),
    )


def as_node(portrait: Portrait, cluster: str, foreign: Iterable[PodView], complaints: Sequence[str]) -> Node:
    """Return what the core schedules: what `foreign` pods leave of the node, drained where there are complaints."""
    used: Counter[str] = Counter(pods=0)
    for pod in foreign:
        used["pods"] += 1
        used.update(dict(pod.requests))
    offered = dict(portrait.view.allocatable)

    def left(resource: str, most: int) -> int:
        return max(0, min(offered.get(resource, 0) - used[resource], most))

    return Node(
        cluster=cluster,
        name=portrait.view.name,
        devices=tuple(
            DeviceGroup(devices.chip, left(devices.resource, MOST_DEVICES), devices.memory_mib)
            for devices in portrait.recognition.found
        ),
        cpu_milli=left("cpu", _MOST_CPU_MILLI),
        memory_mib=left("memory", _MOST_MEMORY_MIB),
        pods=left("pods", _MOST_PODS),
        topology=portrait.topology,
        labels=portrait.labels,
        state=NodeState.DRAINED if complaints else NodeState.READY,
        note=_note(portrait, complaints),
    )


def _note(portrait: Portrait, complaints: Sequence[str]) -> str:
    unreadable = (f"cannot read {text[:60]!r}" for text in portrait.view.unreadable)
    note = "; ".join((*complaints, *portrait.recognition.notes, *unreadable))
    return note if len(note) <= LONGEST_NOTE else note[: LONGEST_NOTE - 3] + "..."


def _untolerated(view: NodeView, found: Sequence[Found], configuration: ClusterConfiguration) -> Iterator[Taint]:
    """Yield taints that pods of some of its chip types do not put up with."""
    tolerations = [
        configuration.tolerations(devices.resource, configuration.pool(devices.chip, view.labels)) for devices in found
    ]
    for taint in filter(keeps_away, view.taints):
        for tolerated in tolerations or [()]:
            if not any(toleration.accepts(taint.key, taint.value, taint.effect) for toleration in tolerated):
                yield taint
                break


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


def _labels(view: NodeView) -> tuple[tuple[str, str], ...]:
    """Return the few labels worth showing: vendors and node feature discovery put on hundreds."""
    shown = (
        (name, value)
        for name, value in sorted(view.labels.items())
        if (name in _SHOWN_LABELS or name.startswith(_OUR_LABELS))
        and _LABEL_NAME.fullmatch(name)
        and _LABEL_VALUE.fullmatch(value)
    )
    return tuple(shown)[:_MOST_LABELS]
