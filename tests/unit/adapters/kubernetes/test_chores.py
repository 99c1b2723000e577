from collections.abc import Iterator
from threading import Event, active_count

import pytest

from scheduler.adapters.kubernetes import chores as module
from scheduler.adapters.kubernetes.chores import Chores
from scheduler.adapters.system.clock import SystemClock
from scheduler.ports.cluster import ClusterUnavailable
from tests.builders.eventually import eventually

PATIENCE_S = 30.0


@pytest.fixture
def chores() -> Iterator[Chores]:
    made = Chores("test", threads=2, clock=SystemClock())
    made.start()
    yield made
    made.close()


def test_a_chore_is_done_again_until_it_says_it_is_done(chores: Chores) -> None:
    answers = iter([0.0, 0.01, None])
    done: list[float | None] = []

    def work() -> float | None:
        done.append(next(answers))
        return done[-1]

    chores.add("one", work)

    eventually(lambda: len(done) == 3, within_s=PATIENCE_S)


def test_one_that_fails_is_tried_again_and_keeps_nobody_from_the_others(chores: Chores) -> None:
    failures = iter([ClusterUnavailable("not now"), ValueError("a bug")])
    done, other = Event(), Event()

    def work() -> None:
        for failure in failures:
            raise failure
        done.set()

    chores.add("failing", work)
    chores.add("other", other.set)

    assert other.wait(PATIENCE_S)
    assert done.wait(PATIENCE_S)


def test_one_name_is_done_by_one_thread_and_once_more_if_asked_meanwhile(chores: Chores) -> None:
    go_on = Event()
    runs: list[int] = []

    def work() -> None:
        runs.append(len(runs))
        go_on.wait(PATIENCE_S)

    chores.add("one", work)
    eventually(lambda: runs, within_s=PATIENCE_S)
    for _ in range(5):
        assert chores.add("one", work)
    assert runs == [0]
    go_on.set()

    eventually(lambda: runs == [0, 1], within_s=PATIENCE_S)


def test_there_is_a_bound(chores: Chores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    go_on = Event()

    def work() -> None:
        go_on.wait(PATIENCE_S)

    assert chores.add("one", work)
    assert not chores.add("two", work)
    go_on.set()
    eventually(lambda: chores.add("two", work), within_s=PATIENCE_S)


def test_closing_ends_the_threads_and_takes_nothing_more() -> None:
    before = active_count()
    made = Chores("test", threads=3, clock=SystemClock())
    made.start()

    made.close()
    made.close()

    assert active_count() == before
    assert not made.add("one", lambda: None)
