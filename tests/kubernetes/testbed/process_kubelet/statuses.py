"""A pod's status as a kubelet writes it, and what a node has."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tests.kubernetes.testbed.api import Document
from tests.kubernetes.testbed.process_kubelet.container import Container, now

LOOPBACK = "127.0.0.1"
IMAGE = re.compile(r"^[a-z0-9.\-]+(:[0-9]+)?(/[a-z0-9._\-]+)*(:[\w.\-]{1,128})?(@sha256:[0-9a-f]{64})?$")
_SCALES = {"m": Decimal("0.001"), "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12)}
_SCALES |= {"Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40)}


def quantity(text: str | float) -> Decimal:
    """Read a resource quantity."""
    found = re.fullmatch(r"([0-9.eE+]+)([a-zA-Z]*)", str(text))
    if found is None:
        raise ValueError(f"not a quantity: {text}")
    return Decimal(found[1]) * _SCALES.get(found[2], Decimal(1))


def requested(pod: Document) -> dict[str, Decimal]:
    """Return what a pod takes of its node: the sum of its containers, or its largest init container."""
    total: dict[str, Decimal] = {}
    for container in pod["spec"]["containers"]:
        for name, value in _requests(container).items():
            total[name] = total.get(name, Decimal(0)) + value
    for container in pod["spec"].get("initContainers", ()):
        for name, value in _requests(container).items():
            total[name] = max(total.get(name, Decimal(0)), value)
    return total


def refusal(
    requests: Mapping[str, Decimal], allocatable: Mapping[str, str], others: Iterable[Mapping[str, Decimal]]
) -> Document | None:
    """Return the status with which a kubelet refuses a pod that does not fit beside the others; None where it fits."""
    used: dict[str, Decimal] = {}
    for one in others:
        for name, value in one.items():
            used[name] = used.get(name, Decimal(0)) + value
    for name, wanted in sorted(requests.items()):
        capacity = quantity(allocatable.get(name, "0"))
        if wanted + used.get(name, Decimal(0)) > capacity:
            numbers = f"requested: {wanted}, used: {used.get(name, 0)}, capacity: {capacity}"
            message = f"Pod was rejected: Node didn't have enough resource: {name}, {numbers}"
            return {"phase": "Failed", "reason": f"OutOf{name}", "message": message, "startTime": now()}
    return None


def image_fault(image: str, absent: Iterable[str]) -> Document | None:
    """Return why an image cannot be used, as a waiting state; None where it can."""
    if not IMAGE.match(image):
        message = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}"'
        return {"reason": "InvalidImageName", "message": message}
    if image in absent:
        return {"reason": "ErrImagePull", "message": f'failed to pull image "{image}": {image}: not found'}
    return None


class Conditions:
    """Makes the conditions of one object, and remembers since when each is as it is."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[bool, str]] = {}

    def make(self, kind: str, *, holds: bool, why: str = "") -> Document:
        """Return a condition; its reason is told where it does not hold."""
        before = self._since.get(kind)
        if before is None or before[0] != holds:
            before = self._since[kind] = (holds, now())
        found: dict[str, Any] = {"type": kind, "status": str(holds), "lastTransitionTime": before[1]}
        return found if holds or not why else found | {"reason": why}


def pod_status(
    containers: list[Container],
    init_containers: list[Container],
    conditions: Conditions,
    *,
    started_at: str,
    **more: str,
) -> Document:
    """Return the status of a pod by the states of its containers; `more` are phase, reason and message."""
    statuses = [container.status() for container in containers]
    is_initialised = all(container.exit_code == 0 for container in init_containers)
    is_ready = all(status["ready"] for status in statuses)
    phase = more.get("phase") or _phase(containers, init_containers)
    why = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "ContainersNotReady")
    return {
        **more,
        "phase": phase,
        "startTime": started_at,
        "hostIP": LOOPBACK,
        "hostIPs": [{"ip": LOOPBACK}],
        "podIP": LOOPBACK,
        "podIPs": [{"ip": LOOPBACK}],
        "conditions": [
            conditions.make("PodReadyToStartContainers", holds=phase in ("Pending", "Running")),
            conditions.make("Initialized", holds=is_initialised, why="ContainersNotInitialized"),
            conditions.make("Ready", holds=is_ready, why=why),
            conditions.make("ContainersReady", holds=is_ready, why=why),
        ],
        "initContainerStatuses": [container.status() for container in init_containers],
        "containerStatuses": statuses,
    }


def node_status(document: Document, conditions: Conditions, *, port: int, is_ready: bool) -> Document:
    """Return the status of a node whose kubelet listens on a port."""
    ready = conditions.make("Ready", holds=is_ready)
    reason, message = ("KubeletReady", "ready") if is_ready else ("KubeletNotReady", "the test wanted it")
    return {
        **document["status"],
        "addresses": [{"type": "InternalIP", "address": LOOPBACK}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "conditions": [ready | {"reason": reason, "message": message, "lastHeartbeatTime": now()}],
    }


def _phase(containers: list[Container], init_containers: list[Container]) -> str:
    if any(container.exit_code for container in init_containers):
        return "Failed"
    codes = [container.exit_code for container in containers]
    if None not in codes:
        return "Failed" if any(codes) else "Succeeded"
    has_begun = any(container.pid or container.exit_code is not None for container in containers)
    return "Running" if has_begun else "Pending"


def _requests(container: Document) -> dict[str, Decimal]:
    resources = container.get("resources", {})
    given = {**resources.get("limits", {}), **resources.get("requests", {})}
    return {name: quantity(value) for name, value in given.items()}
