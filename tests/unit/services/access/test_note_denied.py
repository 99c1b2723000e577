"""Denied calls are told of, but a flood of them is not."""

from datetime import UTC, datetime

from scheduler.services.access.note_denied import MOST_AT_ONCE, MOST_REMEMBERED, DeniedCalls


class Clock:
    def __init__(self) -> None:
        self.monotonic = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return self.monotonic


def test_the_same_call_is_told_once_a_minute_with_what_was_left_out() -> None:
    clock = Clock()
    denied = DeniedCalls(clock)
    assert [denied.count("t1", "drain") for _ in range(5)] == [0, None, None, None, None]
    assert denied.count("t2", "drain") == 4
    clock.monotonic = 60.0
    assert denied.count("t1", "drain") == 0


def test_many_tokens_and_operations_fill_no_disk() -> None:
    clock = Clock()
    denied = DeniedCalls(clock)
    told = sum(denied.count(f"t{number}", "drain") is not None for number in range(10_000))
    assert told == MOST_AT_ONCE
    told = 0
    for _ in range(24 * 60):
        clock.monotonic += 60.0
        told += sum(denied.count(f"t{number}", f"{clock.monotonic}") is not None for number in range(20))
    assert told <= 24 * 60 * 10 + MOST_AT_ONCE


def test_only_so_many_callers_are_remembered() -> None:
    clock = Clock()
    denied = DeniedCalls(clock)
    for number in range(2 * MOST_REMEMBERED):
        clock.monotonic += 6.0
        denied.count(f"t{number}", "drain")
    assert len(denied._told) == MOST_REMEMBERED
