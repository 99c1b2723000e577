"""Whether a node takes new work, and why not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scheduler.adapters.kubernetes.nodes.rules import Found
from scheduler.adapters.kubernetes.views import Condition, NodeView, Taint
from scheduler.core.model.node import NodeState

READY_AGAIN_S = 10.0
"""A node that went out of order takes new work after so long in order: one that flaps stays out."""

_READY = "Ready"
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_EFFECTS = ("NoSchedule", "NoExecute")
_CONTROL_PLANE_TAINTS = "node.kubernetes.io/"
_CORDON_TAINT = "node.kubernetes.io/unschedulable"
_LONGEST_MESSAGE = 80


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that speaks against new work on a node."""

    text: str
    """For people."""
    state: NodeState
    """What it makes of the node: DRAINED by somebody's wish, SUSPECT by a conclusion, DEGRADED by what is missing."""


_BY_WEIGHT = (NodeState.READY, NodeState.DEGRADED, NodeState.SUSPECT, NodeState.DRAINED)


def worst(complaints: Sequence[Complaint]) -> NodeState:
    """Return the state of a node of which there are these complaints; a wish stands above all conclusions."""
    return max((complaint.state for complaint in complaints), key=_BY_WEIGHT.index, default=NodeState.READY)


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
) -> list[Complaint]:
    """Return what speaks against new work on a node, worst first; `taints` are those that its pods do not tolerate."""
    reasons = [Complaint(text, NodeState.SUSPECT) for text in _bad_conditions(node, fault_conditions)]
    if node.is_cordoned:
        reasons.append(Complaint("cordoned", NodeState.DRAINED))
    if not reasons:
        reasons.extend(map(_tainted, taints))
    reasons.extend(Complaint(text, NodeState.DEGRADED) for text in _degraded(node, found))
    return reasons


def _tainted(taint: Taint) -> Complaint:
    """Return the complaint about a taint: an operator's wish, unless the control plane puts it on by itself."""
    is_concluded = taint.key.startswith(_CONTROL_PLANE_TAINTS) and taint.key != _CORDON_TAINT
    state = NodeState.SUSPECT if is_concluded else NodeState.DRAINED
    return Complaint(f"taint {taint.key[:63]} ({taint.effect})", state)


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
