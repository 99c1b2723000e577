"""What API servers and nodes that hang may cost whoever reads output, and whoever removes pods."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scheduler.adapters.kubernetes.configuration.cluster import LogLimits
from scheduler.adapters.kubernetes.logs import LogKeeper, fetching, following
from scheduler.adapters.kubernetes.transport import Unreachable
from scheduler.core.model.identifiers import WorkerKey
from tests.builders.eventually import eventually
from tests.unit.adapters.kubernetes.logs.printing import ATTEMPT, Printed, Printing, running, stamp
from tests.unit.adapters.kubernetes.logs.test_keeper import PATIENCE_S, Bench, bench, over

__all__ = ["bench"]


class Hanging(Printed):
    """Takes every request, and answers none before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.asked = 0

    def stream(self, path: str, *, query: Mapping[str, str] | None = None, silence_s: float, accept: str) -> Printing:
        self.asked += 1
        if not self.goes_on.wait(30):
            raise Unreachable("did not answer in time")
        return super().stream(path, query=query, silence_s=silence_s, accept=accept)


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[tuple[Hanging, LogKeeper]]:
    source = Hanging()
    keeper = LogKeeper(source, tmp_path / "logs", limits=LogLimits())
    yield source, keeper
    source.goes_on.set()
    keeper.close()


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    began_s = time.monotonic()
    yield
    assert time.monotonic() - began_s < limit_s


def log_threads() -> int:
    """Count those of keepers; the API's readers of logs, of other tests, are called log-reader."""
    names = [thread.name for thread in threading.enumerate()]
    return sum(name.startswith("log-") and not name.startswith("log-reader") for name in names)


def workers(count: int) -> list[WorkerKey]:
    return [WorkerKey(ATTEMPT, rank) for rank in range(count)]


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_reader_waits_no_longer_than_it_said_and_is_told_that_more_is_to_come(
    hanging: tuple[Hanging, LogKeeper], *, has_ended: bool
) -> None:
    source, keeper = hanging
    source.line("hello")
    source.end()
    (worker,) = workers(1)
    pod = over(running()) if has_ended else running()

    with within(1):
        chunk = keeper.read(worker, pod, offset=0, limit=100, within_s=0.1)
    assert (chunk.text, chunk.is_behind, chunk.is_complete) == ("", True, False)

    source.goes_on.set()
    chunk = keeper.read(worker, pod, offset=0, limit=100, within_s=PATIENCE_S)
    assert (chunk.text, chunk.is_behind, chunk.is_complete) == ("hello\n", False, has_ended)


def test_without_time_the_fetching_begins_all_the_same(hanging: tuple[Hanging, LogKeeper]) -> None:
    source, keeper = hanging
    with within(2):
        for worker in workers(8):
            pod = over(running(worker))
            assert keeper.read(worker, pod, offset=0, limit=100, within_s=0).is_behind
    eventually(lambda: source.asked == 8, within_s=PATIENCE_S)


def test_readers_of_many_workers_begin_a_bounded_number_of_threads(hanging: tuple[Hanging, LogKeeper]) -> None:
    source, keeper = hanging
    eventually(lambda: log_threads() == 0, within_s=PATIENCE_S)
    with within(5):
        for worker in workers(400):
            keeper.read(worker, over(running(worker)), offset=0, limit=100, within_s=0)
    eventually(lambda: source.asked == 8, within_s=PATIENCE_S)
    assert log_threads() == 8

    with within(5):
        for worker in workers(400):
            keeper.read(worker, running(worker), offset=0, limit=100, within_s=0)
    assert log_threads() <= 8 + following.MOST_FOLLOWERS

    source.goes_on.set()
    eventually(lambda: log_threads() <= following.MOST_FOLLOWERS, within_s=PATIENCE_S)


def test_followers_that_made_way_and_still_hang_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_FOLLOWERS", 2)
    monkeypatch.setattr(following, "MOST_THREADS", 5)
    source, now_s = Hanging(), 0.0
    keeper = LogKeeper(source, tmp_path / "logs", limits=LogLimits(), monotonic=lambda: now_s)
    eventually(lambda: log_threads() == 0, within_s=PATIENCE_S)
    for worker in workers(20):
        now_s += 10
        keeper.read(worker, running(worker), offset=0, limit=100, within_s=0)
    eventually(lambda: source.asked == 5 + 8, within_s=PATIENCE_S)
    assert log_threads() == 5 + 8
    source.goes_on.set()
    keeper.close()


def test_closing_takes_seconds_however_many_followers_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_JOIN_S", 0.2)
    source = Hanging()
    keeper = LogKeeper(source, tmp_path / "logs", limits=LogLimits())
    for worker in workers(30):
        keeper.read(worker, running(worker), offset=0, limit=100, within_s=0)
    with within(2):
        keeper.close()
    assert keeper.read(WorkerKey(ATTEMPT, 99), over(running()), offset=0, limit=100, within_s=PATIENCE_S).is_behind
    source.goes_on.set()


class Dripping(Printing):
    """A byte after the other, for ever."""

    def __init__(self, piece: bytes) -> None:
        super().__init__()
        self.piece = piece

    def pieces(self) -> Iterator[bytes]:
        yield stamp(0) + b" "
        while not self.is_closed:
            yield self.piece


def drip(bench: Bench, monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    def stream(path: str, **_: Any) -> Dripping:
        return Dripping(piece)

    monkeypatch.setattr(fetching, "LONGEST_FETCH_S", 0.1)
    monkeypatch.setattr(bench.printed, "stream", stream)
    bench.end()


def test_a_node_that_drips_is_given_up_after_three_tries(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PROGRESS_BYTES", 1 << 40)
    drip(bench, monkeypatch, b"x")
    answers = []
    with within(5):
        for _ in range(3):
            answers.append(bench.keeper.collect(bench_worker(), bench.pod))
            bench.now_s += 1
    assert answers == [False, False, True]
    end = bench.keeper.read(bench_worker(), None, offset=0, limit=1).end
    assert end == 1


def test_output_that_comes_further_each_time_is_not_given_up_so_soon(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    drip(bench, monkeypatch, b"x" * 60_000)
    monkeypatch.setattr("scheduler.adapters.kubernetes.logs.keeper.MOST_SLOW_TRIES", 6)
    answers = []
    for _ in range(6):
        answers.append(bench.keeper.collect(bench_worker(), bench.pod))
        bench.now_s += 1
    assert answers == [False] * 5 + [True]


def bench_worker() -> WorkerKey:
    return WorkerKey(ATTEMPT, 0)


def test_output_of_an_attempt_that_goes_on_is_kept_within_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder = Printed(), tmp_path / "logs"
    for _ in range(10):
        source.line("x" * 99_999)
    monkeypatch.setattr(following, "MOST_FOLLOWERS", 2)
    now_s = 0.0
    keeper = LogKeeper(source, folder, limits=LogLimits(worker_mib=1, attempt_mib=2), monotonic=lambda: now_s)
    for worker in workers(8):
        now_s += 10
        assert keeper.read(worker, running(worker), offset=0, limit=9, within_s=PATIENCE_S).end
    keeper.close()
    assert sum(path.stat().st_size for path in folder.rglob("00*")) <= 3 * 1024 * 1024
