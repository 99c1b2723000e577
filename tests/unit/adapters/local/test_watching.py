"""Hearing of ends with few descriptors, and without."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from scheduler.adapters.local.supervisor.processes import ProcessIdentity, identify
from scheduler.adapters.local.watching import Watcher
from tests.builders.eventually import eventually

PATIENCE_S = 30.0


@pytest.fixture
def sleepers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run some processes to watch."""
    processes = [subprocess.Popen(["/bin/sleep", "1000"]) for _ in range(3)]
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def descriptors() -> int:
    """Count what this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def room_for(watched: int) -> int:
    """Return the number below which a new watcher, with its pipe, finds so many descriptors free."""
    free = [os.dup(1) for _ in range(2 + watched)]
    for descriptor in free:
        os.close(descriptor)
    return max(free) + 1


def test_no_more_descriptors_are_taken_than_allowed(sleepers: list[subprocess.Popen[bytes]]) -> None:
    heard = Event()
    watcher = Watcher(heard.set, below=room_for(2))
    before = descriptors()

    for process in sleepers:
        watcher.watch(identify(process.pid))

    assert descriptors() - before == 2
    assert not heard.is_set()
    sleepers[0].kill()
    assert heard.wait(PATIENCE_S)
    watcher.close()


def test_a_descriptor_that_is_free_again_goes_to_the_next(sleepers: list[subprocess.Popen[bytes]]) -> None:
    heard = Event()
    watcher = Watcher(heard.set, below=room_for(1))
    watcher.watch(identify(sleepers[0].pid))
    next_one = identify(sleepers[1].pid)
    watcher.watch(next_one)
    sleepers[0].kill()
    assert heard.wait(PATIENCE_S)
    heard.clear()

    watcher.watch(next_one)
    sleepers[1].kill()

    assert heard.wait(PATIENCE_S)
    watcher.close()


def test_no_descriptor_is_lost_where_a_process_cannot_be_looked_at(
    sleepers: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: ProcessIdentity) -> bool:
        raise OSError(24, os.strerror(24))

    supervisor = identify(sleepers[0].pid)
    before = descriptors()
    monkeypatch.setattr(ProcessIdentity, "is_alive", refuse)

    with pytest.raises(OSError, match="Too many open files"):
        supervisor.open()

    assert descriptors() == before


def test_closing_gives_every_descriptor_back(sleepers: list[subprocess.Popen[bytes]]) -> None:
    before = descriptors()
    watcher = Watcher(lambda: None, below=room_for(10))
    for process in sleepers:
        watcher.watch(identify(process.pid))

    watcher.close()

    assert eventually(lambda: descriptors() == before, within_s=PATIENCE_S)
