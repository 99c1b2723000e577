"""The server may be killed at any moment: workers go on, are adopted, and none is started twice or left behind."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from tests.builders.cluster import ATTEMPT, PATIENCE_S, Bench, is_gone, local_bench, order
from tests.builders.eventually import eventually
from tests.builders.local_server import local_server, wait_until_started


@pytest.fixture
def next_server(tmp_path: Path) -> Iterator[Bench]:
    """Build a cluster on the folder that the killed server used."""
    bench = local_bench(tmp_path)
    yield bench
    bench.clear()


def test_running_workers_are_adopted_and_can_be_stopped(tmp_path: Path, next_server: Bench) -> None:
    with local_server("run", tmp_path, "print", "hello", "wait", workers=2) as server:
        wait_until_started(server)

    seen = next_server.seen()
    assert [worker.record.phase for worker in seen] == [WorkerPhase.RUNNING] * 2
    assert next_server.printed("hello", WorkerKey(ATTEMPT, 1)) == "hello\n"

    next_server.cluster.stop(ATTEMPT, grace_s=60)

    assert [worker.record.end for worker in next_server.ended()] == [WorkerEnd.STOPPED] * 2


def test_the_end_of_an_adopted_worker_is_heard_at_once(tmp_path: Path, next_server: Bench) -> None:
    with local_server("run", tmp_path, "wait") as server:
        wait_until_started(server)
    heard = Event()
    next_server.cluster.listen(heard.set)
    next_server.seen()
    assert not heard.is_set()

    next_server.cluster.stop(ATTEMPT, grace_s=0)

    assert heard.wait(PATIENCE_S)


def test_an_exit_code_is_kept_while_nobody_watches(tmp_path: Path, next_server: Bench) -> None:
    gate = tmp_path / "gate"
    with local_server("run", tmp_path, "await", str(gate), "exit", "42") as server:
        wait_until_started(server)
    gate.touch()

    eventually(lambda: list(tmp_path.glob("workers/*/0/ended")), within_s=PATIENCE_S, what="the end")

    record = next_server.seen()[0].record
    assert (record.phase, record.end, record.exit_code) == (WorkerPhase.EXITED, WorkerEnd.EXITED, 42)


def test_limits_hold_while_nobody_watches(tmp_path: Path, next_server: Bench) -> None:
    with local_server("run-for-a-second", tmp_path, "wait") as server:
        wait_until_started(server)

    eventually(lambda: list(tmp_path.glob("workers/*/0/ended")), within_s=PATIENCE_S, what="the end")

    assert next_server.seen()[0].record.end is WorkerEnd.TIME_LIMIT


def test_a_gang_whose_server_died_before_spawning_is_completed(tmp_path: Path, next_server: Bench) -> None:
    with local_server("die-before-spawning", tmp_path, "print", "hello", "wait", workers=2) as server:
        server.wait(PATIENCE_S)
    assert len(list(tmp_path.glob("workers/*/*/plan"))) == 2
    assert next_server.seen() == [], "what no supervisor is at is as good as not there"

    next_server.cluster.start(order("print", "hello", "wait", workers=2))

    assert [worker.record.phase for worker in next_server.seen()] == [WorkerPhase.RUNNING] * 2
    assert next_server.printed("hello") == "hello\n"


def test_a_gang_whose_server_died_before_spawning_can_be_stopped_for_good(tmp_path: Path, next_server: Bench) -> None:
    with local_server("die-before-spawning", tmp_path, "wait") as server:
        server.wait(PATIENCE_S)

    next_server.cluster.stop(ATTEMPT, grace_s=10)

    assert next_server.seen() == []
    assert list(tmp_path.glob("workers/*")) == [], "nobody would ever forget it"


@pytest.mark.parametrize("delay_ms", range(0, 100, 10))
def test_a_server_killed_while_it_starts_a_gang_starts_no_worker_twice(
    tmp_path: Path, next_server: Bench, delay_ms: int
) -> None:
    marks = tmp_path / "marks"
    with local_server("run", tmp_path, "touch", str(marks), "wait", workers=2) as server:
        eventually(lambda: list(tmp_path.glob("workers/*")), within_s=PATIENCE_S, what="the start")
        Event().wait(delay_ms / 1000)
        server.kill()

    next_server.cluster.start(order("touch", str(marks), "wait", workers=2))

    assert [worker.record.phase for worker in next_server.seen()] == [WorkerPhase.RUNNING] * 2
    pids = eventually(
        lambda: pids if len(pids := marks.read_text().split() if marks.exists() else []) == 2 else None,
        within_s=PATIENCE_S,
        what="both workers",
    )
    next_server.cluster.stop(ATTEMPT, grace_s=0)
    next_server.ended()
    assert marks.read_text().split() == pids
    assert all(is_gone(int(pid)) for pid in pids)
