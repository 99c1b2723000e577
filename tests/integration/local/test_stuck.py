"""A worker that cannot be settled counts as running, is complained of once, and is nobody else's trouble."""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from scheduler.adapters.local.supervisor.records import Started, try_lock
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from tests.builders.cluster import ATTEMPT, PATIENCE_S, Bench, is_gone, local_bench, order
from tests.builders.eventually import eventually

OTHER = "0a1b2c3d4e5f6g7h-g0-a2"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Build a local cluster, and leave nothing of it."""
    bench = local_bench(tmp_path)
    yield bench
    bench.clear()


def kill_supervisor(folder: Path) -> None:
    """Leave a worker alone; returns when the kernel has given its lock back."""
    record = Started.read(str(folder))
    assert record is not None
    os.kill(record.supervisor.pid, signal.SIGKILL)
    lock = eventually(lambda: try_lock(str(folder)), within_s=PATIENCE_S, what="the lock")
    os.close(lock)


def spare(monkeypatch: pytest.MonkeyPatch, spared: int) -> None:
    """Have this process be forbidden to kill another one, as if that ran as another user."""
    send = signal.pidfd_send_signal

    def refuse(descriptor: int, number: int) -> None:
        if f"Pid:\t{spared}\n" in Path(f"/proc/self/fdinfo/{descriptor}").read_text():
            raise PermissionError
        send(descriptor, number)

    monkeypatch.setattr(signal, "pidfd_send_signal", refuse)


def test_one_that_cannot_be_killed_does_not_hide_the_others(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Event()
    bench.cluster.start(order("daemonise", "wait"))
    bench.cluster.start(order("exit", "3", attempt=OTHER))
    spared = int(bench.printed("\n"))
    bench.ended(OTHER)
    with monkeypatch.context() as forbidden, caplog.at_level(logging.ERROR):
        spare(forbidden, spared)
        kill_supervisor(tmp_path / "workers" / ATTEMPT / "0")

        for _ in range(3):
            assert bench.seen()[0].record.phase is WorkerPhase.RUNNING
            assert bench.seen(OTHER)[0].record.exit_code == 3
        bench.cluster.listen(heard.set)
        bench.cluster.forget(ATTEMPT)
        bench.cluster.forget(OTHER)

        assert [seen.key.attempt for seen in bench.cluster.observe()] == [ATTEMPT]
        assert not heard.is_set(), "whoever looks at every hint would look without end"
        want_complaint = (
            f"the worker in {tmp_path}/workers/{ATTEMPT}/0 counts as running until it is proven gone: "
            f"its supervisor is gone, and these processes do not end: [{spared}]"
        )
        assert [record.getMessage() for record in caplog.records] == [want_complaint]

    assert bench.ended()[0].record.end is WorkerEnd.LOST
    assert is_gone(spared)


def test_one_whose_files_cannot_be_used_does_not_hide_the_others(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench.cluster.start(order("wait"))
    bench.cluster.start(order("exit", "3", attempt=OTHER))
    bench.seen()
    lock = tmp_path / "workers" / ATTEMPT / "0" / "lock"
    lock.rename(tmp_path / "lock")
    lock.mkdir()

    for _ in range(3):
        assert bench.seen()[0].record.phase is WorkerPhase.RUNNING
    assert bench.ended(OTHER)[0].record.exit_code == 3

    assert len(caplog.records) == 1
    assert "its files cannot be used" in caplog.text
    lock.rmdir()
    (tmp_path / "lock").rename(lock)


def test_a_process_that_cleared_its_environment_ends_with_a_lost_worker(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("undressed", "wait"))
    pid = int(bench.printed("\n"))

    kill_supervisor(tmp_path / "workers" / ATTEMPT / "0")

    assert bench.ended()[0].record.end is WorkerEnd.LOST
    assert is_gone(pid)
