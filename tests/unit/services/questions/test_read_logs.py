"""Reading logs from where the reader stopped."""

from datetime import UTC, datetime

import pytest

from scheduler.adapters.memory.clock import ManualClock
from scheduler.core.model.attempt import Allocation, Attempt
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import LogChunk
from scheduler.services.questions.read_logs import BadCursor, LogCursor, LogPage, read_logs


def test_a_cursor_survives_its_text() -> None:
    cursor = LogCursor(3, {0: 17, 12: 0})
    assert LogCursor.decode(cursor.encode()) == cursor


def test_a_cursor_without_ranks_survives_its_text() -> None:
    assert LogCursor.decode(LogCursor(1, {}).encode()) == LogCursor(1, {})


@pytest.mark.parametrize("text", ["", "x", "1.", "1.0", "1.0:x", "1.0:1.", "-1", "٣", "9" * 30, "1.0:1\n"])
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        LogCursor.decode(text)


class Far:
    """A cluster whose output is fetched when it is first asked for, and is here so much later."""

    name = "far"

    def __init__(self, clock: ManualClock, *, takes_s: float, is_over: bool = False) -> None:
        self.clock = clock
        self.takes_s = takes_s
        self.is_over = is_over
        self.begun_s: dict[int, float] = {}
        self.calls = 0

    def logs(self, worker: WorkerKey, *, offset: int, limit: int, within_s: float = 5.0) -> LogChunk:
        self.calls += 1
        here_s = self.begun_s.setdefault(worker.rank, self.clock.monotonic_s()) + self.takes_s
        self.clock.advance(min(max(here_s - self.clock.monotonic_s(), 0), within_s))
        if self.clock.monotonic_s() < here_s:
            return LogChunk("", offset, offset, is_complete=False, is_behind=True)
        text = f"rank {worker.rank}"[offset : offset + limit]
        return LogChunk(text, offset, offset + len(text), is_complete=self.is_over)


def read(cluster: Far, attempt: Attempt, cursor: LogCursor | None = None) -> LogPage:
    until_s = cluster.clock.monotonic_s() + 5
    return read_logs(
        (cluster,),  # type: ignore[arg-type]
        attempt,
        ranks=range(len(attempt.allocations)),
        cursor=cursor,
        limit=100,
        until_s=until_s,
        monotonic_s=cluster.clock.monotonic_s,
    )


def far_attempt(ranks: int, state: State = State.RUNNING) -> Attempt:
    return Attempt(
        id="0a1b2c3d4e5f6g7h-g0-a1",
        group_id="0a1b2c3d4e5f6g7h-g0",
        number=1,
        generation=1,
        state=state,
        stop_reason=None,
        allocations=tuple(Allocation(rank, f"far/n{rank}", "h100-sxm", (0,), 1000, 1024) for rank in range(ranks)),
        notes=(),
        workers=(),
        placed_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_the_output_of_all_ranks_is_fetched_at_the_same_time() -> None:
    cluster = Far(ManualClock(datetime(2026, 11, 21, tzinfo=UTC)), takes_s=2)
    page = read(cluster, far_attempt(64))
    assert [entry.text for entry in page.entries] == [f"rank {rank}" for rank in range(64)]
    assert cluster.clock.monotonic_s() == pytest.approx(2)


def test_a_cluster_that_hangs_costs_one_deadline_however_many_ranks_there_are() -> None:
    cluster = Far(ManualClock(datetime(2026, 11, 21, tzinfo=UTC)), takes_s=1e9)
    page = read(cluster, far_attempt(64))
    assert page.entries == ()
    assert cluster.clock.monotonic_s() == pytest.approx(5)


def test_what_is_here_at_the_first_look_is_read_once() -> None:
    cluster = Far(ManualClock(datetime(2026, 11, 21, tzinfo=UTC)), takes_s=0)
    read(cluster, far_attempt(8))
    assert cluster.calls == 8


def test_output_that_is_still_on_its_way_is_not_taken_for_the_end() -> None:
    cluster = Far(ManualClock(datetime(2026, 11, 21, tzinfo=UTC)), takes_s=8, is_over=True)
    attempt = far_attempt(2, State.FAILED)
    first = read(cluster, attempt)
    assert (first.entries, first.is_complete) == ((), False)
    second = read(cluster, attempt, first.next)
    assert ([entry.text for entry in second.entries], second.is_complete) == (["rank 0", "rank 1"], True)
