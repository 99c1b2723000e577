"""A gang that cannot be started is refused whole: nothing of it runs, and the reason is for people."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scheduler.adapters.local.cluster import LocalCluster
from scheduler.core.model.attempt import WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import ClusterUnavailable, StartFailed
from tests.builders.cluster import ATTEMPT, PROGRAM, is_gone, local_cluster, order
from tests.builders.eventually import eventually


@pytest.fixture
def cluster_of(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Sequence[str]], LocalCluster]:
    """Build clusters on one folder."""

    def build(command: Sequence[str]) -> LocalCluster:
        cluster = local_cluster(tmp_path, command=command)
        request.addfinalizer(cluster.close)
        return cluster

    return build


def test_a_command_that_is_not_there_is_refused(cluster_of: Callable[[Sequence[str]], LocalCluster]) -> None:
    cluster = cluster_of(["/no/such/program"])

    with pytest.raises(StartFailed, match="worker 0 could not be started: cannot run /no/such/program: No such file"):
        cluster.start(order("wait", workers=2))

    assert cluster.observe() == []


def test_a_refused_gang_stays_refused(cluster_of: Callable[[Sequence[str]], LocalCluster]) -> None:
    with pytest.raises(StartFailed):
        cluster_of(["/no/such/program"]).start(order("wait"))
    able = cluster_of([sys.executable, str(PROGRAM)])

    with pytest.raises(StartFailed, match="cannot run /no/such/program"):
        able.start(order("wait"))

    assert able.observe() == []


def test_one_worker_that_cannot_start_takes_the_gang_with_it(
    tmp_path: Path, cluster_of: Callable[[Sequence[str]], LocalCluster]
) -> None:
    cluster = cluster_of(["./program"])
    marks = tmp_path / "marks"
    scratch = tmp_path / "workers" / ATTEMPT / "0" / "scratch"
    scratch.mkdir(parents=True)
    (scratch / "program").write_text(f"#!/bin/sh\necho $$ >> {marks}\necho hello\nexec sleep 1000\n")
    (scratch / "program").chmod(0o700)

    with pytest.raises(StartFailed, match=r"worker 1 could not be started: cannot run \./program"):
        cluster.start(order(workers=2))

    assert cluster.observe() == []
    assert list(tmp_path.glob("workers/*")) == []
    pids = [int(pid) for pid in marks.read_text().split()] if marks.exists() else []
    assert all(is_gone(pid) for pid in pids)
    assert cluster.logs(WorkerKey(ATTEMPT, 0), offset=0, limit=100).is_complete


def test_a_refusal_that_was_cut_off_is_completed(tmp_path: Path) -> None:
    cluster = local_cluster(tmp_path)
    cluster.start(order("wait"))
    (tmp_path / "workers" / ATTEMPT / "refused").write_text("worker 1 could not be started: reasons")

    with pytest.raises(StartFailed, match="reasons"):
        cluster.start(order("wait"))

    assert eventually(lambda: cluster.observe() == [], within_s=60)
    cluster.close()


@pytest.mark.parametrize("begun", [("refused",), ("refused", "stop")])
@pytest.mark.parametrize("looks", [1, 3])
def test_a_refusal_that_was_cut_off_is_never_told_as_workers_that_failed(
    tmp_path: Path, begun: tuple[str, ...], looks: int
) -> None:
    cluster = local_cluster(tmp_path)
    cluster.start(order("exit", "1", workers=2))
    eventually(lambda: len(list(tmp_path.glob("workers/*/*/ended"))) == 2, within_s=60)
    for name in begun:
        (tmp_path / "workers" / ATTEMPT / name).write_text({"refused": "worker 2: reasons", "stop": "0.0"}[name])

    for _ in range(looks):
        assert cluster.observe() == []
    assert list(tmp_path.glob("workers/*")) == [], "nobody else would forget it"
    with pytest.raises(StartFailed, match="worker 2: reasons"):
        cluster.start(order("wait", workers=3))
    cluster.close()


def test_what_still_runs_of_a_refused_gang_is_seen(tmp_path: Path) -> None:
    cluster = local_cluster(tmp_path)
    gate = tmp_path / "gate"
    cluster.start(order("await", str(gate), "exit", "0"))
    (tmp_path / "workers" / ATTEMPT / "refused").write_text("worker 1: reasons")

    assert [worker.record.phase for worker in cluster.observe()] == [WorkerPhase.RUNNING]

    gate.touch()
    eventually(lambda: cluster.observe() == [], within_s=60)
    cluster.close()


def test_a_folder_that_cannot_be_used_makes_the_cluster_unavailable(tmp_path: Path) -> None:
    cluster = local_cluster(tmp_path)
    (tmp_path / "workers").rmdir()
    (tmp_path / "workers").write_text("a file")

    with pytest.raises(ClusterUnavailable, match="cannot be started now"):
        cluster.start(order("wait"))
    with pytest.raises(ClusterUnavailable, match="cannot be read"):
        cluster.observe()
    cluster.close()


@pytest.mark.parametrize("attempt", ["", ".", "..", "../escape", "a/b", "A", "a\n", "a" * 200])
def test_no_attempt_leads_out_of_the_folder(tmp_path: Path, attempt: str) -> None:
    cluster = local_cluster(tmp_path / "data")
    for use in (
        lambda: cluster.start(order("wait", attempt=attempt)),
        lambda: cluster.stop(attempt, grace_s=0),
        lambda: cluster.forget(attempt),
        lambda: cluster.logs(WorkerKey(attempt, 0), offset=0, limit=1),
    ):
        with pytest.raises(ValueError, match="is not the id of an attempt"):
            use()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    cluster.close()
