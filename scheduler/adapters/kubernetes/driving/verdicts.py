"""When time has run out for a worker, and how one ended whose pod is gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from scheduler.adapters.kubernetes.configuration.cluster import Deadlines
from scheduler.adapters.kubernetes.driving import failures
from scheduler.adapters.kubernetes.driving.failures import Ending
from scheduler.adapters.kubernetes.driving.member import Member
from scheduler.adapters.kubernetes.driving.node_health import NodeHealth
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.attempt import WorkerEnd
from scheduler.ports.clock import Clock

ABANDONED_AFTER_S = 30
"""A pod that should be gone for so long, on a node that is down, is given up."""
COMPANIONS_S = 30
"""What others put into a pod beside our container may keep it alive for so long."""


class Verdicts:
    """Judges workers. What needs no new event is judged at every look."""

    def __init__(
        self, deadlines: Deadlines, node_health: NodeHealth, *, clock: Clock, confirm: Callable[[PodView], None]
    ) -> None:
        """`confirm` asks the API for a pod, later: nobody is given up on the word of a watch that may hang."""
        self._deadlines = deadlines
        self._node_health = node_health
        self._clock = clock
        self._confirm = confirm

    def verdict(self, member: Member, pod: PodView, *, is_barred: bool) -> Ending | None:
        """Return how a worker with this pod ended or why it never will run, None while neither is known."""
        container = pod.container
        if pod.deleted_at is not None:
            return self._on_going(member, pod, is_barred=is_barred)
        if pod.is_over:
            return self._node_health.excuse(pod, failures.ending_of(pod))
        if container is not None and container.has_ended:
            if self._is_due(member, pod, member.outlived_s, COMPANIONS_S):
                return self._node_health.excuse(pod, failures.ending_of(replace(pod, phase="Failed")))
            return None
        if pod.is_gated or (container is not None and container.running_since is not None):
            return None
        return self._on_waiting(member, pod) if pod.node else self._on_unbound(member, pod)

    def ending_of_gone(self, pod: PodView, *, is_barred: bool) -> Ending:
        """Return how a worker ended whose pod was last seen like this."""
        code = failures.exit_code(pod.container)
        ended_at = None if pod.container is None else pod.container.ended_at
        if is_barred:
            return Ending(WorkerEnd.STOPPED, code, ended_at=ended_at)
        if pod.is_over and pod.deleted_at is None:
            return self._node_health.excuse(pod, failures.ending_of(pod))
        taken = failures.disruption_of(pod)
        said = None if taken is None else failures.detail(taken.reason, taken.message)
        return Ending(WorkerEnd.DISRUPTED, code, said or "its pod was deleted, and not by Medley", ended_at=ended_at)

    def is_abandoned(self, member: Member, pod: PodView) -> bool:
        """Say whether a pod that should be gone is on a node that is down: nobody can say when it goes."""
        return (
            bool(pod.node)
            and pod.deleted_at is not None
            and not pod.is_over
            and self._node_health.is_down(pod.node, for_at_least=timedelta(seconds=ABANDONED_AFTER_S))
            and self._is_due(member, pod, member.going_s, ABANDONED_AFTER_S)
        )

    def _on_going(self, member: Member, pod: PodView, *, is_barred: bool) -> Ending | None:
        if self.is_abandoned(member, pod):
            why = f"its node {pod.node} is down, and its pod cannot be removed before the node is back"
            return Ending(WorkerEnd.DISRUPTED, None, why)
        if pod.is_over and self._is_due(member, pod, member.going_s, ABANDONED_AFTER_S):
            return self.ending_of_gone(pod, is_barred=is_barred)  # a finalizer keeps the object; nothing of it runs
        return None

    def _on_unbound(self, member: Member, pod: PodView) -> Ending | None:
        limits = self._deadlines
        said = next((one for one in pod.conditions if one.kind == "PodScheduled" and one.status == "False"), None)
        if said is None or said.reason == "SchedulingGated":  # its gate is open, and no scheduler took note of it
            is_due = self._is_due(member, pod, member.released_s, limits.start_s)
            why: str | None = f"no scheduler looked at its pod for {limits.start_s} s; is the one it names running?"
        else:
            is_due = self._is_due(member, pod, member.released_s, limits.unschedulable_s)
            why = failures.detail(said.reason, said.message)
        is_refused = said is not None and said.reason == "Unschedulable"
        return Ending(WorkerEnd.REJECTED, None, why, strikes_node=is_refused) if is_due else None

    def _on_waiting(self, member: Member, pod: PodView) -> Ending | None:
        limits, container = self._deadlines, pod.container
        if container is None:
            is_due = self._is_due(member, pod, member.bound_s, limits.start_s)
            why = f"node {pod.node} did nothing with its pod for {limits.start_s} s"
            return Ending(WorkerEnd.REJECTED, None, why, strikes_node=True) if is_due else None
        said = failures.explained(container.waiting_reason, container.message)
        hindrance = failures.hindrance_of(container)
        if hindrance is not None:
            since_s = None if member.hindered is None else member.hindered[1]
            is_due = self._is_due(member, pod, since_s, hindrance.patience_s(limits))
            return Ending(hindrance.end, None, said, hindrance.strikes_node) if is_due else None
        is_due = self._is_due(member, pod, member.bound_s, limits.image_pull_s)
        why = f"its container was not made for {limits.image_pull_s} s: {said or 'no reason was given'}"
        return Ending(WorkerEnd.REJECTED, None, failures.detail("", why), strikes_node=True) if is_due else None

    def _is_due(self, member: Member, pod: PodView, since_s: float | None, patience_s: float) -> bool:
        """Say whether the patience is over and the API has confirmed the pod since."""
        if since_s is None or self._clock.monotonic_s() < since_s + patience_s:
            return False
        if patience_s == 0 or member.confirmed_s >= since_s + patience_s:
            return True
        self._confirm(pod)
        return False
