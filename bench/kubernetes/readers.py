"""Those who read the prepared server: our reflector, the official client's typed objects, and a bare reader.

Each reads in a process of its own, `python -m bench.kubernetes.readers`, so that times and memory are only its own.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes
import urllib3

from bench.kubernetes.children import answer_questions
from bench.kubernetes.documents import STAMP
from scheduler.adapters.kubernetes.decoding import node_view, pod_view
from scheduler.adapters.kubernetes.reflector import Reflector, Resource
from scheduler.adapters.kubernetes.transport import Credentials, Transport
from scheduler.adapters.kubernetes.views import NodeView, PodView

LIMIT_S = 240.0
PODS = Resource("/api/v1/pods", what="pods")
NODES = Resource("/api/v1/nodes", what="nodes")
PIECE_BYTES = 65536
OFFICIAL: Any = kubernetes
"""It has no types of its own."""


class TooSlow(Exception):
    """What was to be read did not come within 240 s."""


def list_by_reflector(kubeconfig: str) -> dict[str, float]:
    """List pods and nodes into reflectors; return how many, the seconds and the growth of memory at its peak."""
    changes = [0]

    def on_change(before: object, after: object) -> None:  # noqa: ARG001
        changes[0] += 1

    transport = Transport(Credentials(Path(kubeconfig)))
    transport.request("GET", "/version")
    pods: Reflector[PodView] = Reflector(transport, PODS, view=pod_view, on_change=on_change)
    nodes: Reflector[NodeView] = Reflector(transport, NODES, view=node_view, on_change=on_change)
    memory = Memory()
    began_s = time.perf_counter()
    pods.start()
    nodes.start()
    if not (pods.wait_synced(LIMIT_S) and nodes.wait_synced(LIMIT_S)):
        raise TooSlow
    took_s = time.perf_counter() - began_s
    grown_mib = memory.grown_mib()
    count = len(pods.snapshot()) + len(nodes.snapshot())
    assert changes[0] == count
    for reflector in (pods, nodes):
        reflector.close()
    transport.close()
    return {"seconds": took_s, "peak_mib": grown_mib, "objects": count}


def list_by_models(kubeconfig: str) -> dict[str, float]:
    """List pods and nodes by the official client's typed calls into dictionaries; return the same."""
    api = _official(kubeconfig)
    memory = Memory()
    began_s = time.perf_counter()
    pods = {(one.metadata.namespace, one.metadata.name): one for one in api.list_pod_for_all_namespaces().items}
    nodes = {one.metadata.name: one for one in api.list_node().items}
    took_s = time.perf_counter() - began_s
    return {"seconds": took_s, "peak_mib": memory.grown_mib(), "objects": len(pods) + len(nodes)}


def watch_by_reflector(kubeconfig: str, events: int) -> dict[str, float]:
    """Follow pods by a reflector; return how many events were applied and the seconds from the first to the last."""
    moments: list[float] = []
    is_done = threading.Event()

    def on_change(before: PodView | None, after: PodView | None) -> None:
        if before is None or after is None:
            return
        moments.append(time.perf_counter())
        if len(moments) == events:
            is_done.set()

    transport = Transport(Credentials(Path(kubeconfig)))
    pods: Reflector[PodView] = Reflector(transport, PODS, view=pod_view, on_change=on_change)
    pods.start()
    if not is_done.wait(LIMIT_S):
        raise TooSlow
    transport.close()
    pods.close()
    return {"events": len(moments) - 1, "seconds": moments[-1] - moments[0]}


def watch_by_models(kubeconfig: str, events: int) -> dict[str, float]:
    """Follow pods by the official client's Watch with typed objects, into a dictionary; return the same."""
    api = _official(kubeconfig)
    known: dict[tuple[str, str], Any] = {}
    moments: list[float] = []
    watch = OFFICIAL.watch.Watch()
    for event in watch.stream(api.list_pod_for_all_namespaces, resource_version="1000000"):
        changed = event["object"]
        known[changed.metadata.namespace, changed.metadata.name] = changed
        moments.append(time.perf_counter())
        if len(moments) == events:
            watch.stop()
            break
    return {"events": len(moments) - 1, "seconds": moments[-1] - moments[0]}


def lag_by_reflector(kubeconfig: str, events: int) -> dict[str, list[float]]:
    """Follow pods by a reflector; return how late each event was applied, in milliseconds."""
    lags_ms: list[float] = []
    sent: dict[int, int] = {}
    is_done = threading.Event()

    def view(obj: dict[str, Any]) -> PodView:
        found = pod_view(obj)
        if "bench/event" in obj["metadata"]["annotations"]:
            sent[found.version] = int(obj["metadata"]["annotations"][STAMP])
        return found

    def on_change(before: PodView | None, after: PodView | None) -> None:
        if before is None or after is None:
            return
        lags_ms.append((time.monotonic_ns() - sent.pop(after.version)) / 1e6)
        if len(lags_ms) == events:
            is_done.set()

    transport = Transport(Credentials(Path(kubeconfig)))
    pods: Reflector[PodView] = Reflector(transport, PODS, view=view, on_change=on_change)
    pods.start()
    if not is_done.wait(LIMIT_S):
        raise TooSlow
    transport.close()
    pods.close()
    return {"lags_ms": lags_ms}


def lag_by_bare_reader(kubeconfig: str, events: int) -> dict[str, list[float]]:
    """Read the same stream line by line and do nothing with it; return how late each line was there."""
    server = _official(kubeconfig).api_client.configuration.host
    with urllib3.PoolManager() as pool:
        answer = pool.request(
            "GET", f"{server}/api/v1/pods?watch=true", preload_content=False, retries=False, timeout=LIMIT_S
        )
        lags_ms: list[float] = []
        mark = f'"{STAMP}":"'.encode()
        rest = b""
        while len(lags_ms) < events and (piece := answer.read1(PIECE_BYTES)):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                stamp = line.partition(mark)[2].partition(b'"')[0]
                lags_ms.append((time.monotonic_ns() - int(stamp)) / 1e6)
        answer.close()
    return {"lags_ms": lags_ms}


class Memory:
    """How much more memory this process holds than at this moment."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        self._begin_kib = _status_kib("VmRSS")

    def grown_mib(self) -> float:
        """Return by how much it grew at its peak, in MiB."""
        return (_status_kib("VmHWM") - self._begin_kib) / 1024


def _status_kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _official(kubeconfig: str) -> Any:
    OFFICIAL.config.load_kube_config(kubeconfig)
    return OFFICIAL.client.CoreV1Api()


READERS: dict[str, Callable[..., dict[str, Any]]] = {
    reader.__name__: reader
    for reader in (
        list_by_reflector,
        list_by_models,
        watch_by_reflector,
        watch_by_models,
        lag_by_reflector,
        lag_by_bare_reader,
    )
}


def main() -> None:
    """Answer `{NAME: arguments}`."""

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        ((name, arguments),) = question.items()
        return READERS[name](**arguments)

    answer_questions(answer)


if __name__ == "__main__":
    main()
