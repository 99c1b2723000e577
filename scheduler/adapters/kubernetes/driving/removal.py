"""Taking away what is in the cluster: stopped gangs, ended ones, refused ones, and what earlier processes left."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from scheduler.adapters.kubernetes.chores import Chores
from scheduler.adapters.kubernetes.decoding import map_view, pod_view
from scheduler.adapters.kubernetes.driving.scene import Scene
from scheduler.adapters.kubernetes.driving.writing import pods_path
from scheduler.adapters.kubernetes.logs import LogKeeper
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.identifiers import AttemptId, WorkerKey
from scheduler.ports.cluster import ClusterUnavailable

LEAST_GRACE_S = 1
"""With none, the API forgets a pod at once, and its devices count as free while it still works on them."""
STRANGERS_GRACE_S = 10
WITHDRAWAL_LIMIT_S = 15.0
WITHDRAWAL_PAUSE_S = 0.05
CALL_LIMIT_S = 30.0
TURN_PAUSE_S = 0.05
LAST_WORDS_LIMIT_S = 5.0
"""For all workers of a gang that is to stop and has more of them than can be followed."""
LOGS_PAUSE_S = 0.2
LOGS_LIMIT_S = 40.0
"""Three tries at a node that does not answer within 15 s."""
MOST_ASKED = 50_000


@dataclass(slots=True)
class _Erasure:
    """The removal of an attempt that is over."""

    attempt: AttemptId
    workers: Sequence[WorkerKey]
    """Whose output is to be kept."""
    collects_since_s: float | None = None
    """Since when it is being collected."""


class Removal:
    """Removes. What the port wants at once is only noted here, and done by the threads of the chores."""

    def __init__(self, scene: Scene, logs: LogKeeper, *, stops: Chores, removals: Chores) -> None:
        """`removals` may have to wait for output; `stops` do what is not to wait for that."""
        self._scene = scene
        self._stops = stops
        self._removals = removals
        self._logs = logs
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, int] = OrderedDict()
        """The shortest grace that the pod with this UID was given so far."""

    def stop(self, attempt: AttemptId, *, grace_s: int) -> None:
        """Let nothing of an attempt start any more, and end what runs; returns at once."""
        scene = self._scene
        scene.standings.bar(attempt, grace_s)
        is_anything_left = any(self._is_to_delete(pod, grace_s) for pod in scene.members.pods(attempt))
        if is_anything_left or scene.turns.is_taken(attempt) or self._is_unused(attempt):
            self._stops.add(("stop", attempt), partial(self._stop, attempt))

    def dismiss(self, attempt: AttemptId, workers: Collection[int], *, grace_s: int) -> None:
        """End some workers of an attempt that goes on without them; returns at once."""
        wanted = set(workers)
        pods = [
            pod
            for pod in self._scene.members.pods(attempt)
            if pod.ownership is not None and pod.ownership.rank in wanted and self._is_to_delete(pod, grace_s)
        ]
        for pod in pods:
            self._stops.add(("dismiss", pod.uid), partial(self._delete, pod, grace_s))

    def forget(self, attempt: AttemptId) -> None:
        """Let an ended attempt be seen no more, and remove it once its output is kept; returns at once."""
        scene = self._scene
        is_over = scene.members.has_lived(attempt) and not scene.members.is_alive(attempt)
        if not is_over or scene.standings.is_forgotten(attempt):
            return
        pods, keys = scene.members.pods(attempt), scene.members.keys(attempt)
        scene.standings.forget(attempt)
        scene.members.drop(attempt)
        for pod in pods:
            if pod.node:
                scene.inventory.touch(pod.node)
        self._removals.add(("erase", attempt), partial(self._erase, _Erasure(attempt, keys)))

    def sweep(self, live: Collection[AttemptId]) -> None:
        """Remove what there is of attempts that are not live and have no workers; returns at once."""
        scene, wanted = self._scene, set(live)
        known = scene.members.with_pods()
        for owners in scene.owners.values():
            others = (owner for owner in owners.snapshot().values() if owner.attempt not in wanted)
            known |= {owner.attempt for owner in others if not owner.is_going and scene.is_ours(owner)}
        for attempt in sorted(known - wanted):
            if scene.standings.is_begun(attempt) or scene.members.has_workers(attempt):
                continue
            self._removals.add(("erase", attempt), partial(self._erase, _Erasure(attempt, scene.members.keys(attempt))))

    def remind(self) -> None:
        """Look for what should be going and is not: pods that came late, and pods that took a worker's name."""
        for attempt in self._scene.members.overdue():
            self._stops.add(("stop", attempt), partial(self._stop, attempt))
        for pod in self._scene.members.replaced():
            self._stops.add(("stranger", pod.uid), partial(self._delete, pod, STRANGERS_GRACE_S))

    def confirm(self, pod: PodView) -> None:
        """Ask the API for a pod, and tell the members that it is there; returns at once."""
        self._stops.add(("confirm", pod.uid), partial(self._confirm, pod))

    def withdraw(self, namespace: str, attempt: AttemptId) -> None:
        """Take back a gang of which nothing has run; whoever calls has the attempt's turn.

        The owner goes last and for certain: what should come to light later then has none, and goes the same way.
        Raises ClusterUnavailable where it is not gone within 15 s.
        """
        scene = self._scene
        until_s = scene.clock.monotonic_s() + WITHDRAWAL_LIMIT_S
        scene.each(scene.members.pods(attempt), lambda pod: self._delete(pod, LEAST_GRACE_S, until_s))
        path = f"{scene.configuration.owner.path(namespace)}/{attempt}"
        while (document := scene.writing.read(path, is_metadata_only=True, until_s=until_s)) is not None:
            owner = map_view(document)
            if not scene.is_ours(owner):
                return
            if not owner.is_going:
                scene.writing.delete(path, owner.uid, until_s=until_s)
            elif scene.closing.wait(WITHDRAWAL_PAUSE_S):
                raise ClusterUnavailable("the connection to the cluster is being closed")

    def drop_owner(self, namespace: str, attempt: AttemptId, uid: str) -> None:
        """Remove an owner of an attempt, of which nothing has run, with all that it owns."""
        self._delete_owners(attempt, [(namespace, uid)])

    def move(self, attempt: AttemptId, pods: Sequence[PodView], *, until_s: float) -> None:
        """Remove pods of which nothing has run, with their owners: others are made in another namespace."""
        owners = {(pod.namespace, pod.ownership.owner_uid) for pod in pods if pod.ownership is not None}
        self._scene.each(pods, lambda pod: self._delete(pod, LEAST_GRACE_S, until_s))
        self._delete_owners(attempt, sorted(owners))

    def _stop(self, attempt: AttemptId) -> float | None:
        scene = self._scene
        if not scene.turns.take(attempt, timeout_s=0):
            return TURN_PAUSE_S
        try:
            grace_s = scene.standings.grace_s(attempt) or 0
            pods = [pod for pod in scene.members.pods(attempt) if self._is_to_delete(pod, grace_s)]
            self._take_last_words(pods)
            owners = self._owners(attempt) if self._is_unused(attempt) else []
            until_s = scene.clock.monotonic_s() + CALL_LIMIT_S
            scene.each(pods, lambda pod: self._delete(pod, grace_s, until_s))
            self._delete_owners(attempt, owners)
        finally:
            scene.turns.give_back(attempt)
        return None

    def _take_last_words(self, pods: Sequence[PodView]) -> None:
        """Follow workers that are about to be stopped; what those printed for whom there is no follower is fetched."""
        scene = self._scene
        left = self._logs.follow_before_stop(pods)
        give_up_s = scene.clock.monotonic_s() + LAST_WORDS_LIMIT_S

        def fetch(one: tuple[WorkerKey, PodView]) -> None:
            worker, pod = one
            left_s = give_up_s - scene.clock.monotonic_s()
            if left_s > 0:
                self._logs.read(worker, pod, offset=0, limit=0, within_s=left_s)

        scene.each(left, fetch)

    def _erase(self, erasure: _Erasure) -> float | None:
        scene, attempt = self._scene, erasure.attempt
        if not scene.turns.take(attempt, timeout_s=0):
            return TURN_PAUSE_S
        try:
            if not self._has_output(erasure):
                return LOGS_PAUSE_S
            owners = self._owners(attempt)
            pods = [pod for pod in scene.members.pods(attempt) if pod.deleted_at is None]
            until_s = scene.clock.monotonic_s() + CALL_LIMIT_S
            scene.each(pods, lambda pod: self._delete(pod, LEAST_GRACE_S, until_s))
            self._delete_owners(attempt, owners)
        finally:
            scene.turns.give_back(attempt)
        return None

    def _has_output(self, erasure: _Erasure) -> bool:
        """Collect what an attempt's workers printed; says whether that is done, or was tried for long enough.

        A node that does not answer must not keep the pods for ever. Time during which the API itself is away does not
        count, and no node is asked for another worker's output once it was silent.
        """
        scene, is_complete = self._scene, True
        silent: set[str] = set()
        if erasure.collects_since_s is None:
            erasure.collects_since_s = scene.clock.monotonic_s()
        for worker in erasure.workers:
            pod = scene.members.pod(worker)
            node = "" if pod is None else pod.node
            if node in silent or not self._logs.collect(worker, pod):
                is_complete = False
                silent.add(node)
        now_s = scene.clock.monotonic_s()
        if is_complete:
            return True
        if scene.pods.health.last_error is not None:
            erasure.collects_since_s = now_s
        if now_s - erasure.collects_since_s <= LOGS_LIMIT_S:
            return False
        for worker in erasure.workers:
            self._logs.give_up(worker, f"nobody gave it for {LOGS_LIMIT_S:.0f} s")
        return True

    def _confirm(self, pod: PodView) -> None:
        scene, asked_s = self._scene, self._scene.clock.monotonic_s()
        path = f"{pods_path(pod.namespace)}/{pod.name}"
        document = scene.writing.read(path, until_s=asked_s + CALL_LIMIT_S)
        if document is not None:
            scene.pods.wrote(document)
            scene.members.confirmed(pod_view(document), asked_s=asked_s)

    def _is_unused(self, attempt: AttemptId) -> bool:
        """Say whether the attempt has an owner, and nothing of it was ever let through its gate."""
        return not self._scene.members.has_lived(attempt) and bool(self._owners(attempt))

    def _is_to_delete(self, pod: PodView, grace_s: int) -> bool:
        if pod.is_over:
            return False
        with self._lock:
            given_s = self._asked.get(pod.uid)
        return given_s is None or max(grace_s, LEAST_GRACE_S) < given_s

    def _delete(self, pod: PodView, grace_s: int, until_s: float | None = None) -> None:
        scene, grace_s = self._scene, max(grace_s, LEAST_GRACE_S)
        if until_s is None:
            until_s = scene.clock.monotonic_s() + CALL_LIMIT_S
        scene.writing.delete(f"{pods_path(pod.namespace)}/{pod.name}", pod.uid, grace_s=grace_s, until_s=until_s)
        with self._lock:
            self._asked[pod.uid] = min(grace_s, self._asked.get(pod.uid, grace_s))
            if len(self._asked) > MOST_ASKED:
                self._asked.popitem(last=False)

    def _owners(self, attempt: AttemptId) -> list[tuple[str, str]]:
        """Return namespaces and UIDs of the attempt's owners.

        In namespaces that are not configured any more, nobody follows them: there, the attempt's pods tell.
        """
        scene = self._scene
        known = ((name, scene.owner(name, attempt)) for name in scene.owners)
        found = {(name, owner.uid) for name, owner in known if owner is not None}
        for pod in scene.members.pods(attempt):
            if pod.namespace not in scene.owners and pod.ownership is not None and pod.ownership.owner_uid:
                found.add((pod.namespace, pod.ownership.owner_uid))
        return sorted(found)

    def _delete_owners(self, attempt: AttemptId, owners: Iterable[tuple[str, str]]) -> None:
        scene = self._scene
        until_s = scene.clock.monotonic_s() + CALL_LIMIT_S
        for namespace, uid in owners:
            scene.writing.delete(f"{scene.configuration.owner.path(namespace)}/{attempt}", uid, until_s=until_s)
