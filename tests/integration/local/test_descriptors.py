"""A server that may open few files by default still watches many workers, and its workers inherit nothing of that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.adapters.local.supervisor.records import Started
from scheduler.core.model.attempt import WorkerPhase
from tests.builders.cluster import ATTEMPT, Bench, local_bench, open_files
from tests.builders.local_server import FEW_FILES, local_server, wait_until_started

WORKERS = FEW_FILES + 8


@pytest.fixture
def next_server(tmp_path: Path) -> Iterator[Bench]:
    """Build a cluster on the folder that the other server used."""
    bench = local_bench(tmp_path)
    yield bench
    bench.clear()


def soft_limit(pid: int) -> int:
    """Return how many files a process may open before it asks for more."""
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith("Max open files"):
            return int(line.split()[3])
    raise AssertionError(pid)


def test_a_low_limit_is_raised_for_the_server_and_for_nobody_else(tmp_path: Path, next_server: Bench) -> None:
    with local_server("run-with-few-files", tmp_path, "wait", workers=WORKERS) as server:
        wait_until_started(server)
        watched = [name for name in open_files(server.pid) if "pidfd" in name]
        record = Started.read(str(tmp_path / "workers" / ATTEMPT / "0"))
        assert record is not None

        assert len(watched) == WORKERS
        assert soft_limit(server.pid) > FEW_FILES
        assert soft_limit(record.supervisor.pid) == soft_limit(record.child.pid) == FEW_FILES


def test_workers_are_seen_where_no_descriptor_is_left_to_watch_them(tmp_path: Path, next_server: Bench) -> None:
    with local_server("run-with-few-files-for-good", tmp_path, "wait", workers=WORKERS) as server:
        wait_until_started(server)
        assert soft_limit(server.pid) == FEW_FILES

    assert [worker.record.phase for worker in next_server.seen()] == [WorkerPhase.RUNNING] * WORKERS
