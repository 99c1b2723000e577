"""Medley is killed at every write that it makes; its next life adopts what is there: nothing twice, nothing left."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.core.model.attempt import SeenWorker, WorkerPhase
from scheduler.ports.cluster import ClusterUnavailable, StartFailed
from tests.builders.cluster import ATTEMPT, order
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, Driven, node_document, seen, wait_seen
from tests.kubernetes.fake_api.kubelet import PodScript
from tests.kubernetes.fake_api.server import FakeApi

LIFE = "tests.kubernetes.driving.dying_life"
MOST_WRITES = 40
ROOT = Path(__file__).parents[3]


class Started:
    """Counts how often a pod of each name got a node."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()

    def __call__(self, pod: dict[str, Any]) -> PodScript:
        self.names[pod["metadata"]["name"]] += 1
        return PodScript()


@pytest.fixture
def started() -> Started:
    return Started()


@pytest.fixture
def api(started: Started) -> Iterator[FakeApi]:
    with FakeApi(schedules=True, script=started) as fake:
        fake.create("nodes", node_document())
        yield fake


def lived(kubeconfig: Path, data: Path, what: str, at: int, when: str) -> tuple[list[str], bool]:
    """Live through it, and return the steps that were reached and whether it was killed."""
    command = [sys.executable, "-m", LIFE, str(kubeconfig), str(data), what, str(at), when]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode in (0, -signal.SIGKILL), run.stderr
    return run.stdout.split(), run.returncode != 0


def start(cluster: KubernetesCluster) -> None:
    def is_done() -> bool:
        with suppress(ClusterUnavailable):
            cluster.start(order("wait", workers=2))
            return True
        return False

    eventually(is_done, within_s=PATIENCE_S, what="the start")


def all_run(workers: list[SeenWorker]) -> bool:
    return [one.record.phase for one in workers] == [WorkerPhase.RUNNING] * 2


def end(cluster: KubernetesCluster) -> None:
    """Do what reconciling does with an attempt that is to stop."""
    over = (WorkerPhase.EXITED, WorkerPhase.LOST)

    def is_over() -> bool:
        cluster.stop(ATTEMPT, grace_s=1)
        return all(one.record.phase in over for one in seen(cluster))

    eventually(is_over, within_s=PATIENCE_S, what="the end")
    cluster.forget(ATTEMPT)


def wait_nothing_left(api: FakeApi, cluster: KubernetesCluster) -> None:
    def is_empty() -> bool:
        cluster.sweep((), unfinished=())
        return not any(api.all(kind) for kind in ("pods", "configmaps", "secrets"))

    eventually(is_empty, within_s=PATIENCE_S, what="an empty cluster")


def test_a_gang_outlives_medley_at_every_write(api: FakeApi, started: Started, tmp_path: Path) -> None:
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    for at in range(1, MOST_WRITES):
        when = ("before", "after")[at % 2]
        started.names.clear()
        steps, was_killed = lived(kubeconfig, tmp_path / "data", "run", at, when)
        driven = Driven(kubeconfig, tmp_path / "data")
        next_life = driven.cluster()
        if steps[-1] == "start":
            start(next_life)
            wait_seen(next_life, "all to run", all_run)
        if steps[-1] != "done":
            end(next_life)
        wait_nothing_left(api, next_life)
        driven.close()
        assert dict(started.names) == {f"{ATTEMPT}-r0": 1, f"{ATTEMPT}-r1": 1}, f"killed {when} write {at}"
        if not was_killed:
            break
    assert not was_killed
    assert at > 8, "the life has fewer writes than it must have"


def test_a_refused_gang_leaves_nothing_wherever_medley_is_killed(api: FakeApi, tmp_path: Path) -> None:
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    for at in range(1, MOST_WRITES):
        when = ("before", "after")[at % 2]
        api.faults.clear()
        api.faults.answer(422, method="POST", path="/pods$", times=1)
        _, was_killed = lived(kubeconfig, tmp_path / "data", "refused", at, when)
        driven = Driven(kubeconfig, tmp_path / "data")
        next_life = driven.cluster()
        api.faults.clear()
        api.faults.answer(422, method="POST", path="/pods$", times=2)
        with suppress(StartFailed):
            start(next_life)
        end(next_life)
        wait_nothing_left(api, next_life)
        driven.close()
        if not was_killed:
            break
    assert not was_killed
    assert at > 4, "the life has fewer writes than it must have"
