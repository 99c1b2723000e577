"""Nodes and pods as the reflectors give them, with sensible defaults."""

from collections.abc import Mapping
from itertools import count

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.kubernetes.views import Condition, NodeView, PodView, Taint

CATALOGUE = {chip.name: chip for chip in shipped_catalogue()}
VERSIONS = count(1)
PLAIN = {"cpu": 64_000, "memory": 524_288, "pods": 110}


def condition(kind: str, status: str = "True", reason: str = "", message: str = "") -> Condition:
    return Condition(kind, status, reason, message, since=None)


def node_view(
    name: str = "n1",
    *,
    devices: Mapping[str, int] | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    allocatable: Mapping[str, int] | None = None,
    conditions: tuple[Condition, ...] = (condition("Ready"),),
    taints: tuple[Taint, ...] = (),
    uid: str = "",
) -> NodeView:
    """Return a node; `allocatable` says what differs from its capacity."""
    capacity = PLAIN | dict(devices or {})
    return NodeView(
        uid=uid or f"uid-{name}",
        name=name,
        version=next(VERSIONS),
        labels=dict(labels or {}),
        annotations=dict(annotations or {}),
        allocatable=tuple((capacity | dict(allocatable or {})).items()),
        capacity=tuple(capacity.items()),
        taints=taints,
        is_cordoned=False,
        conditions=conditions,
    )


def pod_view(
    name: str = "p1", *, node: str = "n1", requests: Mapping[str, int] | None = None, phase: str = "Running"
) -> PodView:
    """Return somebody's pod."""
    return PodView(
        uid=f"uid-{name}",
        namespace="theirs",
        name=name,
        version=next(VERSIONS),
        node=node,
        phase=phase,
        reason="",
        message="",
        is_gated=False,
        deleted_at=None,
        ownership=None,
        container=None,
        conditions=(),
        requests=tuple((requests or {}).items()),
    )
