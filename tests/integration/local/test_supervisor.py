"""One worker and its supervisor: nothing strays, nothing is started twice, ends are told as they were."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from scheduler.adapters.local.supervisor.processes import ProcessIdentity, children, identify
from scheduler.adapters.local.supervisor.records import Started, try_lock
from scheduler.core.model.attempt import SeenWorker, WorkerEnd, WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from tests.builders.cluster import ATTEMPT, PATIENCE_S, Bench, is_gone, local_bench, open_files, order
from tests.builders.eventually import eventually


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Build a local cluster, and leave nothing of it."""
    bench = local_bench(tmp_path)
    yield bench
    bench.clear()


def started(data: Path, rank: int = 0) -> Started:
    """Return the record of a worker's start."""
    record = Started.read(str(data / "workers" / ATTEMPT / str(rank)))
    assert record is not None
    return record


def wait_for_the_next_tick(process: ProcessIdentity) -> None:
    """Return when a process that starts now cannot have the start time of this one."""
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    start_ticks = int(process.start.partition("@")[0])
    eventually(
        lambda: int(time.clock_gettime(time.CLOCK_BOOTTIME) * ticks_per_s) > start_ticks + 1, within_s=PATIENCE_S
    )


def printed_pid(bench: Bench) -> int:
    """Wait for the number of a process that the worker left behind."""
    return int(bench.printed("\n").split()[0])


@pytest.mark.parametrize("kind", ["daemonise", "nameless"])
def test_what_a_worker_leaves_behind_ends_with_it(bench: Bench, kind: str) -> None:
    bench.cluster.start(order(kind, "exit", "5"))

    record = bench.ended()[0].record

    assert (record.end, record.exit_code) == (WorkerEnd.EXITED, 5)
    assert is_gone(printed_pid(bench))


@pytest.mark.parametrize("kind", ["daemonise", "nameless"])
def test_what_a_stopped_worker_left_behind_ends_too(bench: Bench, kind: str) -> None:
    bench.cluster.start(order(kind, "wait"))
    pid = printed_pid(bench)
    assert not is_gone(pid)

    bench.cluster.stop(ATTEMPT, grace_s=60)

    assert bench.ended()[0].record.end is WorkerEnd.STOPPED
    assert is_gone(pid)


def test_a_worker_whose_supervisor_is_killed_is_lost_and_nothing_of_it_is_left(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("daemonise", "wait"))
    pid = printed_pid(bench)
    processes = started(tmp_path)

    os.kill(processes.supervisor.pid, signal.SIGKILL)

    record = bench.ended()[0].record
    assert (record.phase, record.end, record.exit_code) == (WorkerPhase.LOST, WorkerEnd.LOST, None)
    assert is_gone(pid)
    assert eventually(lambda: is_gone(processes.child.pid), within_s=PATIENCE_S)


def test_a_lost_worker_is_not_started_again(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("print", "hello", "wait"))
    bench.printed("hello")
    os.kill(started(tmp_path).supervisor.pid, signal.SIGKILL)

    bench.cluster.start(order("print", "hello", "wait"))

    assert bench.ended()[0].record.phase is WorkerPhase.LOST
    assert bench.printed("hello") == "hello\n"


def test_a_process_that_got_the_number_of_a_dead_supervisor_is_left_alone(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("wait"))
    folder = tmp_path / "workers" / ATTEMPT / "0"
    processes = started(tmp_path)
    wait_for_the_next_tick(processes.child)
    with subprocess.Popen(["/bin/sleep", "1000"]) as bystander:
        os.kill(processes.supervisor.pid, signal.SIGKILL)
        lock = eventually(lambda: try_lock(str(folder)), within_s=PATIENCE_S)
        processes.supervisor.pid = bystander.pid
        processes.child.pid = bystander.pid
        (folder / "started").unlink()
        processes.write(str(folder))

        bench.cluster.stop(ATTEMPT, grace_s=0)
        os.close(lock)
        record = bench.ended()[0].record

        assert record.phase is WorkerPhase.LOST
        assert bystander.poll() is None
        bystander.kill()


def test_a_second_supervisor_of_a_worker_gives_way(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("print", "hello", "wait"))
    want_supervisor = started(tmp_path).supervisor.pid
    starts = [Thread(target=bench.cluster.start, args=(order("print", "hello", "wait"),)) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join(PATIENCE_S)

    assert started(tmp_path).supervisor.pid == want_supervisor
    assert bench.printed("hello") == "hello\n"


@pytest.mark.parametrize("round_", range(5))
def test_a_stop_during_the_start_is_not_lost(bench: Bench, tmp_path: Path, round_: int) -> None:
    start = Thread(target=bench.cluster.start, args=(order("stubborn", "wait", workers=2),))
    start.start()
    eventually(lambda: len(list(tmp_path.glob("workers/*/*/plan"))) > round_ % 2, within_s=PATIENCE_S)

    bench.cluster.stop(ATTEMPT, grace_s=0)
    start.join(PATIENCE_S)

    def alive() -> list[SeenWorker]:
        return [worker for worker in bench.seen() if worker.record.phase is not WorkerPhase.EXITED]

    assert eventually(lambda: not alive(), within_s=PATIENCE_S)
    assert {worker.record.end for worker in bench.seen()} <= {WorkerEnd.STOPPED}


def test_memory_is_that_of_all_a_workers_processes(bench: Bench) -> None:
    bench.cluster.start(order("fork", "hold", "100", "wait", memory_mib=150))

    record = bench.ended()[0].record

    assert (record.end, record.exit_code) == (WorkerEnd.MEMORY_LIMIT, -9)


def test_a_worker_ended_by_a_signal_is_told_so(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("wait"))

    os.kill(started(tmp_path).child.pid, signal.SIGSEGV)

    record = bench.ended()[0].record
    assert (record.end, record.exit_code) == (WorkerEnd.EXITED, -11)


def test_a_paused_worker_can_be_stopped(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("print", "ready", "wait"))
    bench.printed("ready")
    os.kill(started(tmp_path).child.pid, signal.SIGSTOP)

    bench.cluster.stop(ATTEMPT, grace_s=60)

    assert bench.ended()[0].record.exit_code == -15


def test_a_worker_whose_folder_is_deleted_ends(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("wait"))
    processes = started(tmp_path)

    (tmp_path / "workers" / ATTEMPT).rename(tmp_path / "elsewhere")

    assert eventually(lambda: is_gone(processes.child.pid) and is_gone(processes.supervisor.pid), within_s=PATIENCE_S)


def test_a_worker_sees_little_of_the_server(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("wait"))
    child = started(tmp_path).child.pid
    scratch = tmp_path / "workers" / ATTEMPT / "0" / "scratch"

    environment = dict(
        variable.split("=", 1) for variable in Path(f"/proc/{child}/environ").read_text().rstrip("\0").split("\0")
    )

    assert sorted(environment) == ["HOME", "LANG", "MEDLEY_LAUNCH", "PATH", "PYTHONUNBUFFERED"]
    assert environment["HOME"] == str(scratch)
    assert Path(f"/proc/{child}/cwd").readlink() == scratch
    assert os.getsid(child) == child == os.getpgid(child)


def test_neither_supervisor_nor_worker_holds_what_the_server_has_open(bench: Bench, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        want_absent = str(Path(f"/proc/self/fd/{listener.fileno()}").readlink())
        bench.cluster.start(order("wait"))
        processes = started(tmp_path)

        for process in (processes.supervisor, processes.child):
            assert want_absent not in open_files(process.pid)


def test_nothing_is_left_for_the_server_to_reap(bench: Bench) -> None:
    before = set(children(os.getpid()))

    bench.cluster.start(order("exit", "0", workers=3))
    bench.ended()

    assert set(children(os.getpid())) <= before


def test_a_supervisor_is_in_a_session_of_its_own(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("wait"))
    supervisor = started(tmp_path).supervisor

    assert os.getsid(supervisor.pid) != os.getsid(0)
    assert identify(supervisor.pid).start == supervisor.start


def test_a_request_to_end_that_names_no_grace_uses_the_jobs(bench: Bench, tmp_path: Path) -> None:
    bench.cluster.start(order("print", "ready", "wait"))
    bench.printed("ready", WorkerKey(ATTEMPT, 0))

    os.kill(started(tmp_path).supervisor.pid, signal.SIGTERM)

    record = bench.ended()[0].record
    assert (record.end, record.exit_code) == (WorkerEnd.STOPPED, -15)
