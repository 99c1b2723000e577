"""A record that a failed disk left empty or cut off is the trouble of its own worker alone."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from scheduler.ports.cluster import ClusterUnavailable
from tests.builders.cluster import ATTEMPT, PATIENCE_S, Bench, is_gone, local_bench, order
from tests.builders.eventually import eventually
from tests.builders.local_server import local_server

OTHER = "0a1b2c3d4e5f6g7h-g0-a2"
BROKEN = [b"", b"generation=", b"\0\0\0\0"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Build a local cluster, and leave nothing of it."""
    bench = local_bench(tmp_path)
    yield bench
    bench.clear()


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_plan_of_a_started_worker_is_of_no_account(bench: Bench, tmp_path: Path, content: bytes) -> None:
    bench.cluster.start(order("wait"))
    (tmp_path / "workers" / ATTEMPT / "0" / "plan").write_bytes(content)

    assert [(worker.generation, worker.record.phase) for worker in bench.seen()] == [(1, WorkerPhase.RUNNING)]

    bench.cluster.stop(ATTEMPT, grace_s=0)
    assert bench.ended()[0].record.end is WorkerEnd.STOPPED


@pytest.mark.parametrize("content", BROKEN)
def test_a_worker_with_a_broken_plan_is_started_with_a_new_one(tmp_path: Path, bench: Bench, content: bytes) -> None:
    with local_server("die-before-spawning", tmp_path, "print", "hello", "wait") as server:
        server.wait(PATIENCE_S)
    folder = tmp_path / "workers" / ATTEMPT / "0"
    (folder / "plan").write_bytes(content)
    (folder / "lock").mkdir()  # nobody can say that it does not start
    assert bench.seen() == []
    (folder / "lock").rmdir()
    assert bench.seen() == []

    bench.cluster.start(order("print", "hello", "wait"))

    assert bench.printed("hello") == "hello\n"


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_request_to_end_is_one_to_end_now(bench: Bench, tmp_path: Path, content: bytes) -> None:
    bench.cluster.start(order("stubborn", "wait"))
    bench.cluster.start(order("wait", attempt=OTHER))
    bench.printed("stubborn")

    (tmp_path / "workers" / ATTEMPT / "stop").write_bytes(content)

    assert bench.ended()[0].record.end is WorkerEnd.STOPPED
    assert bench.seen(OTHER)[0].record.phase is WorkerPhase.RUNNING
    bench.cluster.stop(ATTEMPT, grace_s=60)
    bench.cluster.forget(ATTEMPT)
    assert bench.seen() == []


def test_a_broken_record_of_a_start_does_not_hide_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bench: Bench
) -> None:
    bench.cluster.start(order("stubborn", "wait"))
    bench.cluster.start(order("exit", "3", attempt=OTHER))
    bench.printed("stubborn")
    bench.ended(OTHER)
    started = tmp_path / "workers" / ATTEMPT / "0" / "started"
    whole = started.read_bytes()
    supervisor = int(whole.partition(b"supervisor_pid=")[2].partition(b"\0")[0])
    started.write_bytes(b"")
    with caplog.at_level(logging.ERROR):
        next_bench = local_bench(tmp_path)
        assert [worker.record.phase for worker in next_bench.seen()] == [WorkerPhase.PENDING]
        assert next_bench.seen(OTHER)[0].record.exit_code == 3
        with pytest.raises(ClusterUnavailable, match=f"{started} cannot be understood"):
            next_bench.cluster.start(order("wait"))
        assert caplog.records == [], "its supervisor is at it"

        os.kill(supervisor, 9)
        next_bench.cluster.stop(ATTEMPT, grace_s=0)
        want_complaint = (
            f"the worker in {started.parent} counts as running until it is proven gone: its files cannot be used: "
            f"{started} cannot be understood; was the disk full or did it fail?"
        )
        assert _complaints(next_bench, caplog) == [want_complaint]

    started.write_bytes(whole)
    assert next_bench.ended()[0].record.end is WorkerEnd.LOST
    assert is_gone(supervisor)
    next_bench.cluster.close()


def _complaints(bench: Bench, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Look until there is a complaint, and once more; return all."""

    def look() -> bool:
        bench.seen()
        return bool(caplog.records)

    eventually(look, within_s=PATIENCE_S, what="a complaint")
    bench.seen()
    return [record.getMessage() for record in caplog.records]
