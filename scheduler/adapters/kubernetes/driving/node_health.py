"""What the state of a node says about the pods on it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from scheduler.adapters.kubernetes.driving.failures import Ending
from scheduler.adapters.kubernetes.views import Condition, NodeView, PodView
from scheduler.core.model.attempt import WorkerEnd
from scheduler.ports.clock import Clock

WINDOW = timedelta(seconds=60)
"""Trouble counts for an end so near to it. That a node is down is said late: kubelets are waited for 40 to 50 s."""

_PROGRAMS_DOING = frozenset({WorkerEnd.EXITED, WorkerEnd.MEMORY_LIMIT})


class Nodes(Protocol):
    """The nodes as the watch knows them."""

    @property
    def is_synced(self) -> bool:
        """Whether they are known at all."""
        ...

    def get(self, key: str, /) -> NodeView | None:
        """Return a node by its name."""
        ...


class NodeHealth:
    """Answers for nodes that went down, and holds against nodes what they should have run."""

    def __init__(
        self, nodes: Nodes, clock: Clock, *, strike: Callable[[str, str], None], forgive: Callable[[str], None]
    ) -> None:
        """`strike` is given a node's name and what is held against it, `forgive` the name of one that started a pod."""
        self._nodes = nodes
        self._clock = clock
        self.strike = strike
        self.forgive = forgive

    def is_down(self, name: str, *, for_at_least: timedelta) -> bool:
        """Say whether a node is gone, or has not been ready for so long."""
        if not self._nodes.is_synced:
            return False
        node = self._nodes.get(name)
        if node is None:
            return True
        ready = _ready(node)
        if ready is None or ready.status == "True":
            return False
        return ready.since is not None and self._clock.now() - ready.since >= for_at_least

    def excuse(self, pod: PodView, ending: Ending) -> Ending:
        """Return the end of a worker as it counts: what a program did on a node that went down was not its doing."""
        is_failure = ending.end in _PROGRAMS_DOING and ending.exit_code != 0
        if not is_failure or not self._nodes.is_synced or not self._was_down(pod, ending.ended_at or self._clock.now()):
            return ending
        why = f"node {pod.node} was not ready when the worker ended"
        return replace(
            ending, end=WorkerEnd.DISRUPTED, detail=f"{why}; {ending.detail}"[:500] if ending.detail else why
        )

    def _was_down(self, pod: PodView, ended_at: datetime) -> bool:
        if not pod.node:
            return False
        node = self._nodes.get(pod.node)
        if node is None:
            return True
        ready = _ready(node)
        if ready is None or ready.since is None:
            return False
        if ready.status != "True":
            return ready.since <= ended_at + WINDOW
        started_at = None if pod.container is None else pod.container.started_at
        if started_at is None or ready.since <= started_at:
            return False
        return ended_at - WINDOW <= ready.since <= ended_at + WINDOW


def _ready(node: NodeView) -> Condition | None:
    return next((condition for condition in node.conditions if condition.kind == "Ready"), None)
