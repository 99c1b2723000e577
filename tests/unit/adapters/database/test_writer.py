"""The thread that writes: nobody waits for one that cannot answer, and a hint cannot end it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import pytest

from scheduler.adapters.database.committing import Answer, Committed, Committer, Request
from scheduler.adapters.database.transaction import Transaction
from scheduler.adapters.database.writer import Writer
from scheduler.ports.journal import StorageUnavailable
from tests.builders.database import CountingWakeUp

WAIT_S = 10


class ScriptedCommitter(Committer):
    """Answers every request with None, after doing what the test says."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def commit(self, requests: Sequence[Request]) -> Committed:
        self._act()
        return Committed([Answer()] * len(requests), has_changes=True)


class FailingWakeUp(CountingWakeUp):
    """Raises at every hint."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def notify(self, *, decided: int = 0) -> None:
        super().notify(decided=decided)
        raise self.error


def nothing(_transaction: Transaction) -> None:
    """Stand for some write."""


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.mark.parametrize("error", [SystemExit(1), MemoryError("full")])
def test_when_the_thread_ends_all_who_wait_are_told_at_once_and_so_are_those_who_come_later(
    threads: ThreadPoolExecutor, error: BaseException
) -> None:
    may_fail = threading.Event()

    def fail_when_told() -> None:
        assert may_fail.wait(WAIT_S)
        raise error

    writer = Writer(ScriptedCommitter(fail_when_told), CountingWakeUp())
    waiting = [threads.submit(writer.call, nothing) for _ in range(4)]
    may_fail.set()
    assert not wait_for(waiting, WAIT_S).not_done
    later = threads.submit(writer.call, nothing)
    for future in (*waiting, later):
        assert isinstance(future.exception(WAIT_S), StorageUnavailable)
    assert not writer.is_open
    writer.close()


@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(1)])
def test_a_hint_that_fails_ends_neither_the_thread_nor_the_answers(
    threads: ThreadPoolExecutor, error: BaseException
) -> None:
    wake_up = FailingWakeUp(error)
    writer = Writer(ScriptedCommitter(lambda: None), wake_up)
    for _ in range(3):
        assert threads.submit(writer.call, nothing).result(WAIT_S) is None
    assert wake_up.hints == 3
    assert writer.is_open
    writer.close()
