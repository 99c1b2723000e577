"""Pods and nodes as the watch shows them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.views import Condition, ContainerView, NodeView, Ownership, PodView
from scheduler.core.model.identifiers import WorkerKey

IDENTITY = Identity(b"a secret", "test")
NAMESPACE = "medley-jobs"
ATTEMPT = "0a1b2c3d4e5f6g7h-g0-a1"
START = datetime(2026, 1, 1, tzinfo=UTC)


def pod(rank: int = 0, *, released_to: str = "", **changes: Any) -> PodView:
    """Build a pod of ours that is bound to n1, and of which nothing was heard yet."""
    name = WorkerKey(ATTEMPT, rank).name
    proof = IDENTITY.proof(NAMESPACE, "Pod", name)
    view = PodView(
        uid=f"uid-{rank}",
        namespace=NAMESPACE,
        name=name,
        version=1,
        node="n1",
        phase="Pending",
        reason="",
        message="",
        is_gated=False,
        deleted_at=None,
        ownership=Ownership(IDENTITY.instance, ATTEMPT, rank, 1, proof, "owner", released_to),
        container=None,
        conditions=(),
        requests=(),
    )
    return replace(view, **changes)


def waiting(reason: str, message: str = "") -> ContainerView:
    """Build a container that is not made yet."""
    return ContainerView(reason, message, None, False, None, "", None, None)


def running() -> ContainerView:
    """Build a container that runs."""
    return ContainerView("", "", START, False, None, "", START, None)


def ended(code: int | None, reason: str = "Error", message: str = "", *, at: datetime = START) -> ContainerView:
    """Build a container that has ended."""
    return ContainerView("", message, None, True, code, reason, START, at)


def copying(container: ContainerView) -> ContainerView:
    """Make it an init container that did not get the worker started."""
    return replace(container, is_before_worker=True, started_at=None)


def condition(kind: str, status: str = "True", reason: str = "", *, since: datetime = START) -> Condition:
    """Build a condition."""
    return Condition(kind, status, reason, "so it is", since)


def node(ready: str = "True", *, since: datetime = START) -> NodeView:
    """Build node n1."""
    return NodeView("node-1", "n1", 1, {}, {}, (), (), (), False, (condition("Ready", ready, since=since),))
