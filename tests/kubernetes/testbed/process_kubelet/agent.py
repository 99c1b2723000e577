"""The kubelet itself: registers its nodes, keeps them alive, and starts a runner for each pod bound to them."""

import json
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tests.kubernetes.testbed.api import CONFLICT, STRATEGIC, Api, Document, Lines, Refused, path_of
from tests.kubernetes.testbed.certificates import Pair
from tests.kubernetes.testbed.nodes import NodeShape, wait_for_nodes
from tests.kubernetes.testbed.process_kubelet.container import resident_mib
from tests.kubernetes.testbed.process_kubelet.log_server import LogServer
from tests.kubernetes.testbed.process_kubelet.logs import ContainerLog
from tests.kubernetes.testbed.process_kubelet.pod_runner import Household, PodRunner
from tests.kubernetes.testbed.process_kubelet.statuses import Conditions, node_status, refusal

HEARTBEAT_S = 5.0
MEMORY_LOOK_S = 0.1
RETRY_S = 0.2
END_TIMEOUT_S = 20.0
LEASES = "apis/coordination.k8s.io/v1"
OVER = ("Succeeded", "Failed")
WATCH_SILENCE_S = 120.0


class ProcessKubelet:
    """Serves nodes of the given shapes until it is closed; `with ProcessKubelet(...)` waits until they are ready.

    A pod's containers run their commands as processes of this machine, as this user, without any isolation; the
    folders of ConfigMaps, Secrets and empty volumes are put in the place of their paths in the environment and the
    commands. Images are not looked at, except that those of `absent_images` cannot be pulled;
    `image_environment` is what an image would bring. With `serving` the API server reads logs over TLS.
    """

    def __init__(
        self,
        api: Api,
        shapes: Iterable[NodeShape],
        folder: Path,
        *,
        serving: Pair | None = None,
        absent_images: Iterable[str] = (),
        image_environment: Mapping[str, str] | None = None,
    ) -> None:
        self._api = api
        self._nodes = {shape.name: shape.document({}) for shape in shapes}
        self._conditions = {name: Conditions() for name in self._nodes}
        self._lock = threading.Lock()
        self._admission = threading.Lock()
        self._runners: dict[str, PodRunner] = {}
        self._not_ready: set[str] = set()
        self._dead: set[str] = set()
        self._closed = threading.Event()
        self._stream: Lines | None = None
        self._household = Household(
            api=api,
            folder=folder,
            admit=self._admit,
            is_dead=self._is_dead,
            image_environment=image_environment or {},
            absent_images=frozenset(absent_images),
        )
        self._logs = LogServer(self._find_log, serving)
        self._threads = [
            threading.Thread(target=target, name=f"kubelet-{target.__name__}", daemon=True)
            for target in (self._watch, self._beat, self._look_at_memory)
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Register the nodes, begin, and wait until pods can be bound to them."""
        for name in self._nodes:
            self._register(name)
        for thread in self._threads:
            thread.start()
        wait_for_nodes(self._api, self._nodes)

    def close(self, *, removes_nodes: bool = True) -> None:
        """Kill all containers and end; pods stay as objects, the nodes as well if asked for."""
        self._closed.set()
        if self._stream is not None:
            self._stream.close()
        for runner in self._all_runners():
            runner.vanish()
        for runner in self._all_runners():
            runner.join(END_TIMEOUT_S)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(END_TIMEOUT_S)
        self._logs.close()
        if removes_nodes:
            for name in self._nodes:
                with suppress(OSError, Refused):
                    self._api.delete(path_of("nodes", name))

    def set_ready(self, node: str, *, is_ready: bool) -> None:
        """Let a node say that it is ready, or that it is not; its pods go on."""
        (self._not_ready.discard if is_ready else self._not_ready.add)(node)
        self._report(node)

    def cut_off(self, node: str) -> None:
        """Let a node fall silent, as one without power or network: no heartbeat, no status, no deletion of its pods."""
        self._dead.add(node)

    def reconnect(self, node: str) -> None:
        """Let a node that was cut off catch up."""
        self._dead.discard(node)
        self._report(node)

    def process_of(self, namespace: str, pod: str, container: str | None = None) -> int | None:
        """Return the number of a running container's first process: the first container's unless one is named."""
        runner = self._runner_of(namespace, pod)
        if runner is None:
            return None
        found = runner.containers[0] if container is None else runner.find(container)
        return found.pid if found is not None else None

    def _register(self, name: str) -> None:
        document = self._nodes[name]
        try:
            self._api.create(path_of("nodes"), document | {"status": self._status(name)})
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
        self._report(name)
        lease = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": _micro_time()}
        body = {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": lease}
        with suppress(Refused):
            self._api.create(path_of("leases", namespace="kube-node-lease", group=LEASES), body)

    def _status(self, name: str) -> Document:
        is_ready = name not in self._not_ready
        return node_status(self._nodes[name], self._conditions[name], port=self._logs.port, is_ready=is_ready)

    def _report(self, name: str) -> None:
        status = self._status(name)
        # The size of a node is told once: a test may have changed it since, as a device plugin would.
        told = {key: value for key, value in status.items() if key not in ("capacity", "allocatable")}
        self._api.patch(f"{path_of('nodes', name)}/status", {"status": told}, kind=STRATEGIC)

    def _beat(self) -> None:
        while not self._closed.wait(HEARTBEAT_S):
            for name in self._nodes:
                if name not in self._dead:
                    with suppress(OSError, Refused):
                        path = path_of("leases", name, namespace="kube-node-lease", group=LEASES)
                        self._api.patch(path, {"spec": {"renewTime": _micro_time()}})
                        self._report(name)

    def _look_at_memory(self) -> None:
        while not self._closed.wait(MEMORY_LOOK_S):
            runners = [runner for runner in self._all_runners() if not runner.is_over]
            if runners:
                held = resident_mib()
                for runner in runners:
                    runner.check_memory(held)

    def _watch(self) -> None:
        while not self._closed.is_set():
            with suppress(OSError, Refused, ValueError):
                self._follow(self._list())
            self._closed.wait(RETRY_S)

    def _list(self) -> str:
        found = self._api.get("/api/v1/pods", fieldSelector="spec.nodeName!=")
        uids = {pod["metadata"]["uid"] for pod in found["items"]}
        for runner in self._all_runners():
            if runner.uid not in uids:
                self._take("DELETED", {"metadata": {"uid": runner.uid}, "spec": {"nodeName": runner.node}})
        for pod in found["items"]:
            self._take("ADDED", pod)
        return str(found["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> None:
        wish = {"watch": "true", "fieldSelector": "spec.nodeName!=", "resourceVersion": version}
        wish |= {"allowWatchBookmarks": "true", "timeoutSeconds": "240"}
        stream = self._api.watch("/api/v1/pods", silence_s=WATCH_SILENCE_S, **wish)
        self._stream = stream
        if self._closed.is_set():
            stream.close()
        for line in stream:
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            if event["type"] != "BOOKMARK":
                self._take(event["type"], event["object"])

    def _take(self, event: str, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        if pod["spec"].get("nodeName") not in self._nodes:
            return
        with self._lock:
            runner = self._runners.get(uid)
            if event == "DELETED":
                self._runners.pop(uid, None)
            elif runner is None and not (self._closed.is_set() or _is_over(pod)):
                runner = self._runners[uid] = PodRunner(self._household, pod)
                runner.start()
                return
        if runner is not None:
            runner.vanish() if event == "DELETED" else runner.update(pod)

    def _admit(self, runner: PodRunner) -> Document | None:
        node = self._api.get(path_of("nodes", runner.node))
        with self._admission:
            others = [one for one in self._all_runners() if one.was_admitted and not one.is_over]
            beside = [one.requests for one in others if one.node == runner.node]
            refused = refusal(runner.requests, node["status"]["allocatable"], beside)
            runner.was_admitted = refused is None
        return refused

    def _is_dead(self, node: str) -> bool:
        return node in self._dead

    def _find_log(self, namespace: str, pod: str, container: str) -> ContainerLog | str | None:
        runner = self._runner_of(namespace, pod)
        found = runner.find(container) if runner is not None else None
        if found is None:
            return None
        if found.pid is None and found.exit_code is None:
            reason = found.waiting["reason"]
            return f'container "{container}" in pod "{pod}" is waiting to start: {reason}'
        return found.log

    def _runner_of(self, namespace: str, pod: str) -> PodRunner | None:
        return next((runner for runner in self._all_runners() if runner.key == (namespace, pod)), None)

    def _all_runners(self) -> list[PodRunner]:
        with self._lock:
            return list(self._runners.values())


def _is_over(pod: Document) -> bool:
    return pod.get("status", {}).get("phase") in OVER


def _micro_time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
