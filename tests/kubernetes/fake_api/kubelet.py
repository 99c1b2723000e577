"""A kubelet that runs nothing: each pod goes the way that a script says."""

import copy
import heapq
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from tests.kubernetes.fake_api import pods
from tests.kubernetes.fake_api.answers import Json, Refusal
from tests.kubernetes.fake_api.events import record
from tests.kubernetes.fake_api.logs import LogBook
from tests.kubernetes.fake_api.metadata import now
from tests.kubernetes.fake_api.registry import DeleteOptions, Registry, set_condition
from tests.kubernetes.fake_api.resources import PODS
from tests.kubernetes.fake_api.routes import place_of
from tests.kubernetes.fake_api.store import Event, Stored

NEVER_S = float("inf")
TERMINATED = 143
"""Exit code of what ended at SIGTERM."""


@dataclass(frozen=True, slots=True)
class PodScript:
    """What happens to one pod once it has a node."""

    starts_after_s: float = 0.0
    runs_s: float = NEVER_S
    exit_code: int = 0
    ended_reason: str = ""
    """`Completed` or `Error` where left empty."""
    waits: str = ""
    """It never starts: its container waits for this reason."""
    rejected: str = ""
    """It fails before any container: the pod's reason."""
    message: str = ""
    """Beside either of the two."""
    stops_after_s: float = 0.0
    """From the deletion to its end, but never longer than the grace; NEVER_S: it hangs in Terminating."""
    log: bytes = b""


@dataclass(slots=True)
class Kubelet:
    """The kubelets of all nodes."""

    registry: Registry
    logs: LogBook
    script: Callable[[Json], PodScript]
    """Says how a pod (as it is when it gets its node) goes on."""
    dead_nodes: set[str] = field(default_factory=set)
    """Nothing happens there any more."""
    _known: dict[str, PodScript] = field(default_factory=dict)
    _stopping: set[str] = field(default_factory=set)
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)
    _fresh: list[tuple[str, Stored]] = field(default_factory=list)

    def see(self, event: Event) -> None:
        """Notice pods that came to a node or are to go."""
        if event.after.kind is PODS:
            self._fresh.append((event.verb, event.after))

    def act(self) -> float | None:
        """Do what is due."""
        now_s = time.monotonic()
        fresh, self._fresh = self._fresh, []
        for verb, stored in fresh:
            self._take(verb, stored, now_s)
        while self._due and self._due[0][0] <= now_s:
            _, _, act = heapq.heappop(self._due)
            with self.registry.store.lock, suppress(Refusal):
                act()
        return self._due[0][0] if self._due else None

    def _take(self, verb: str, stored: Stored, now_s: float) -> None:
        pod = stored.document
        uid, node = pod["metadata"]["uid"], pod["spec"].get("nodeName")
        if verb == "DELETED":
            self._known.pop(uid, None)
            self._stopping.discard(uid)
            return
        if not node or node in self.dead_nodes:
            return
        if uid not in self._known and not pods.is_over(pod):
            script = self._known[uid] = self.script(pod)
            self._at(now_s + script.starts_after_s, lambda: self._start(stored, script))
        grace_s = pod["metadata"].get("deletionGracePeriodSeconds", 0)
        if pod["metadata"].get("deletionTimestamp") and uid not in self._stopping and grace_s > 0:
            self._stopping.add(uid)
            after_s = self._known.get(uid, PodScript()).stops_after_s
            if after_s < NEVER_S:
                self._at(now_s + min(after_s, grace_s), lambda: self._stop(stored))

    def _at(self, moment_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment_s, next(self._numbers), act))

    def _start(self, stored: Stored, script: PodScript) -> None:
        pod = self._current(stored)
        if pod is None or pod["metadata"].get("deletionTimestamp"):
            return
        status = pod["status"]
        if script.rejected:
            status |= {"phase": "Failed", "reason": script.rejected, "message": script.message, "startTime": now()}
            self._put(stored, pod)
            record(self.registry, pod, script.rejected, script.message, kind="Warning")
            return
        if script.waits:
            waiting = {"waiting": {"reason": script.waits, "message": script.message}}
            status["containerStatuses"] = _statuses(pod, waiting)
            self._put(stored, pod)
            record(self.registry, pod, "Failed", f"{script.waits}: {script.message}", kind="Warning")
            return
        status |= {"phase": "Running", "startTime": now(), "podIP": "10.0.0.1"}
        status["containerStatuses"] = _statuses(pod, {"running": {"startedAt": now()}})
        set_condition(pod, {"type": "Ready", "status": "True", "lastTransitionTime": now()})
        self._put(stored, pod)
        record(self.registry, pod, "Started", "Container started")
        if script.log:
            self.logs.write(stored.key, script.log)
        if script.runs_s < NEVER_S:
            self._after(script.runs_s, lambda: self.end(stored, script.exit_code, script.ended_reason))

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._at(time.monotonic() + seconds, act)

    def end(self, stored: Stored, exit_code: int, reason: str = "") -> None:
        """Let a pod's containers end, unless they have."""
        pod = self._current(stored)
        if pod is None or pods.is_over(pod):
            return
        reason = reason or ("Error" if exit_code else "Completed")
        running = (pod["status"].get("containerStatuses") or [{}])[0].get("state", {}).get("running") or {}
        ended = {"exitCode": exit_code, "reason": reason, "finishedAt": now()}
        ended["startedAt"] = running.get("startedAt", now())
        pod["status"]["phase"] = "Failed" if exit_code else "Succeeded"
        pod["status"]["containerStatuses"] = _statuses(pod, {"terminated": ended})
        set_condition(pod, {"type": "Ready", "status": "False", "lastTransitionTime": now()})
        self._put(stored, pod)

    def _stop(self, stored: Stored) -> None:
        pod = self._current(stored)
        if pod is None or pod["spec"]["nodeName"] in self.dead_nodes:
            return
        if pod["status"]["phase"] == "Running":
            record(self.registry, pod, "Killing", "Stopping container")
            self.end(stored, TERMINATED)
        uid = stored.document["metadata"]["uid"]
        self.registry.delete(place_of(stored), DeleteOptions(grace_s=0, uid=uid))

    def _current(self, stored: Stored) -> Json | None:
        """Return a copy of the pod as it is now; None where it is gone, or another one has its name."""
        found = self.registry.store.get(PODS, stored.key)
        if found is None or found.document["metadata"]["uid"] != stored.document["metadata"]["uid"]:
            return None
        return copy.deepcopy(found.document)

    def _put(self, stored: Stored, pod: Json) -> None:
        self.registry.store.put(PODS, stored.key, pod)


def _statuses(pod: Json, state: Json) -> list[Json]:
    return [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": "running" in state,
            "started": "running" in state,
            "restartCount": 0,
            "lastState": {},
            "state": state,
        }
        for container in pod["spec"]["containers"]
    ]
