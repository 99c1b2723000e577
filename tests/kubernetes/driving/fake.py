"""A gang on the HTTP fake of the API, and what is waited for and counted there."""

import re
from collections.abc import Callable
from typing import Any

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.core.model.attempt import SeenWorker, WorkerPhase
from tests.builders.cluster import ATTEMPT, order
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, seen, wait_seen
from tests.kubernetes.fake_api.kubelet import NEVER_S, PodScript
from tests.kubernetes.fake_api.server import FakeApi

GANG = order("wait", workers=4)
OTHER = "0a1b2c3d4e5f6g7h-g0-a2"


def script(pod: dict[str, Any]) -> PodScript:
    """Read a pod's fate from the environment of its job."""
    said = {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0].get("env", ())}
    return PodScript(
        runs_s=float(said.get("RUNS_S", NEVER_S)),
        exit_code=int(said.get("EXIT_CODE", 0)),
        ended_reason=said.get("ENDED_REASON", ""),
        waits=said.get("WAITS", ""),
        rejected=said.get("REJECTED", ""),
        message=said.get("MESSAGE", ""),
        stops_after_s=float(said.get("STOPS_AFTER_S", 0)),
        log=b"hello\n",
    )


def are(phase: WorkerPhase, workers: int = 4) -> Callable[[list[SeenWorker]], bool]:
    def look(found: list[SeenWorker]) -> bool:
        return len(found) == workers and {one.record.phase for one in found} == {phase}

    return look


def wait_nothing_left(api: FakeApi) -> None:
    def is_empty() -> bool:
        return not any(api.all(kind) for kind in ("pods", "configmaps", "secrets"))

    eventually(is_empty, within_s=PATIENCE_S, what="an empty cluster")


def run_out(api: FakeApi, cluster: KubernetesCluster) -> None:
    """Stop the gang, forget it, and see that nothing is left."""
    cluster.stop(ATTEMPT, grace_s=1)
    over = (WorkerPhase.EXITED, WorkerPhase.LOST)
    wait_seen(cluster, "the end", lambda found: all(one.record.phase in over for one in found))
    cluster.forget(ATTEMPT)
    assert seen(cluster) == []
    wait_nothing_left(api)


def writes(api: FakeApi, method: str, path: str = "") -> int:
    """Count the calls of a method and path that were meant."""
    calls = [call for call in api.client_calls if call.method == method and "dryRun" not in call.query]
    return sum(1 for call in calls if re.search(path, call.path) and "accessreview" not in call.path)
