"""Finding the processes of a worker whose supervisor is gone, and nobody else's."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scheduler.adapters.local.leftovers import kill_leftovers
from scheduler.adapters.local.supervisor.processes import ProcessIdentity, identify
from tests.builders.cluster import is_gone
from tests.builders.eventually import eventually

LAUNCH = Path("/data/workers/a/0/launch.json")
NOBODY = ProcessIdentity(2**22 + 1, "1@another-boot")
PATIENCE_S = 2.0


@contextmanager
def leader(script: str, environment: dict[str, str]) -> Iterator[tuple[ProcessIdentity, int]]:
    """Run a shell that leads a session; it prints one process id. At the end nothing of its group is left."""
    with subprocess.Popen(
        ["/bin/sh", "-c", script], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as shell:
        assert shell.stdout is not None
        other = int(shell.stdout.readline())
        comm = Path(f"/proc/{other}/comm")
        eventually(lambda: comm.read_text() == "sleep\n", within_s=30, what="the program, with its own environment")
        try:
            yield identify(shell.pid), other
        finally:
            for pid in (other, shell.pid):
                if not is_gone(pid):
                    os.kill(pid, signal.SIGKILL)


def test_a_process_that_cleared_its_environment_is_found_by_its_session() -> None:
    with leader("env -i sleep 1000 & echo $!; wait", {}) as (worker, other):
        assert kill_leftovers(LAUNCH, worker, patience_s=PATIENCE_S) == []

        assert is_gone(other)
        assert is_gone(worker.pid)


def test_it_is_found_by_its_session_after_the_worker_itself_ended() -> None:
    with leader("env -i sleep 1000 & echo $!; wait", {}) as (worker, other):
        os.kill(worker.pid, signal.SIGKILL)
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)

        assert kill_leftovers(LAUNCH, worker, patience_s=PATIENCE_S) == []

        assert is_gone(other)


def test_what_left_session_and_environment_is_found_by_its_parent() -> None:
    script = "setsid env -i sleep 1000 & echo $!; wait"
    with leader(script, {"MEDLEY_LAUNCH": str(LAUNCH), "PATH": "/usr/bin:/bin"}) as (_, other):
        assert kill_leftovers(LAUNCH, NOBODY, patience_s=PATIENCE_S) == []

        assert is_gone(other)


def test_a_session_whose_number_another_process_got_is_left_alone() -> None:
    with leader("sleep 1000 & echo $!; wait", {}) as (bystander, other):
        ticks, _, boot = bystander.start.partition("@")
        worker = ProcessIdentity(bystander.pid, f"{int(ticks) - 1}@{boot}")

        assert kill_leftovers(LAUNCH, worker, patience_s=PATIENCE_S) == []

        assert bystander.is_alive()
        assert not is_gone(other)


@pytest.mark.parametrize("later_ticks", [0, 1000])
def test_a_session_without_its_leader_is_ours_if_it_is_not_older_than_the_worker(later_ticks: int) -> None:
    with leader("sleep 1000 & echo $!", {}) as (bystander, other):
        os.waitid(os.P_PID, bystander.pid, os.WEXITED | os.WNOWAIT)
        os.waitpid(bystander.pid, 0)
        ticks, _, boot = bystander.start.partition("@")
        worker = ProcessIdentity(bystander.pid, f"{int(ticks) + later_ticks}@{boot}")

        kill_leftovers(LAUNCH, worker, patience_s=PATIENCE_S)

        assert is_gone(other) is (later_ticks == 0)


def test_a_worker_of_an_earlier_boot_has_no_session() -> None:
    with leader("sleep 1000 & echo $!; wait", {}) as (bystander, other):
        worker = ProcessIdentity(bystander.pid, "1@another-boot")

        kill_leftovers(LAUNCH, worker, patience_s=PATIENCE_S)

        assert bystander.is_alive()
        assert not is_gone(other)


def test_a_process_that_may_not_be_killed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with leader("env -i sleep 1000 & echo $!; wait", {"PATH": "/usr/bin:/bin"}) as (worker, other):
        send = signal.pidfd_send_signal

        def refuse(descriptor: int, number: int) -> None:
            if f"Pid:\t{other}\n" in Path(f"/proc/self/fdinfo/{descriptor}").read_text():
                raise PermissionError
            send(descriptor, number)

        monkeypatch.setattr(signal, "pidfd_send_signal", refuse)

        assert kill_leftovers(LAUNCH, worker, patience_s=2.0) == [other]
        assert is_gone(worker.pid)
