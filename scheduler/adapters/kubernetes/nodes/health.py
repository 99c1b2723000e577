"""Whether a node takes new work, and why not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scheduler.adapters.kubernetes.nodes.rules import Found
from scheduler.adapters.kubernetes.views import Condition, NodeView, Taint

READY_AGAIN_S = 10.0
"""A node that went out of order takes new work after so long in order: one that flaps stays out."""

_READY = "Ready"
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_EFFECTS = ("NoSchedule", "NoExecute")
_LONGEST_MESSAGE = 80


@dataclass(slots=True)
class Readiness:
    """How long a node has been in order, as seen from here."""

    was_ready: bool = False
    """It has been in order before: only then is its word doubted."""
    ready_since_s: float | None = None

    def see(self, *, says_ready: bool, now_s: float) -> float | None:
        """Note whether the node says it is ready; returns when to believe it, None where at once or where it is not."""
        if not says_ready:
            self.ready_since_s = None
            return None
        if self.ready_since_s is None:
            self.ready_since_s = now_s if self.was_ready else now_s - READY_AGAIN_S
        self.was_ready = True
        believed_s = self.ready_since_s + READY_AGAIN_S
        return believed_s if believed_s > now_s else None


def is_ready(node: NodeView) -> bool:
    """Say whether the kubelet says that it is ready, and the control plane still hears it."""
    return any(condition.kind == _READY and condition.status == "True" for condition in node.conditions)


def complaints(
    node: NodeView, fault_conditions: Sequence[str], found: Iterable[Found], taints: Iterable[Taint]
) -> list[str]:
    """Return why a node takes nothing new, worst first; `taints` are those that its pods do not tolerate."""
    reasons = list(_bad_conditions(node, fault_conditions))
    if node.is_cordoned:
        reasons.append("cordoned")
    if not reasons:
        reasons.extend(f"taint {taint.key[:63]} ({taint.effect})" for taint in taints)
    reasons.extend(_degraded(node, found))
    return reasons


def keeps_away(taint: Taint) -> bool:
    """Say whether a taint keeps pods away that do not tolerate it."""
    return taint.effect in _EFFECTS


def _bad_conditions(node: NodeView, fault_conditions: Sequence[str]) -> Iterator[str]:
    by_kind = {condition.kind: condition for condition in node.conditions}
    ready = by_kind.get(_READY)
    if ready is None:
        yield "not ready: its kubelet has not reported yet"
    elif ready.status != "True":
        yield "not ready" + _detail(ready)
    for kind in (*_PRESSURES, *fault_conditions):
        condition = by_kind.get(kind)
        if condition is not None and condition.status == "True":
            yield kind + _detail(condition)


def _detail(condition: Condition) -> str:
    """Say more, where the node does."""
    text = condition.message or condition.reason
    return f": {text[:_LONGEST_MESSAGE]}" if text else ""


def _degraded(node: NodeView, found: Iterable[Found]) -> Iterator[str]:
    """Name devices that are there and cannot be given out: they failed, or their plugin restarts."""
    allocatable, capacity = dict(node.allocatable), dict(node.capacity)
    for devices in found:
        can, should = allocatable.get(devices.resource, 0), capacity.get(devices.resource, 0)
        if can < should:
            yield f"degraded: {can} of {should} {devices.resource} can be used"
