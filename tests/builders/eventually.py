"""Waiting for something to become true. The only place of the tests that may sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

FIRST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.05


def eventually(predicate: Callable[[], Answer | None], *, within_s: float, what: str = "") -> Answer:
    """Return the first true answer of `predicate`, asked again and again.

    Asks at least once, and once more when the time is over. Raises AssertionError that names `what` was waited
    for and the last answer; an error of the predicate is passed on at once.
    """
    deadline = time.monotonic() + within_s
    pause_s = FIRST_PAUSE_S
    while True:
        is_late = time.monotonic() >= deadline
        answer = predicate()
        if answer:
            return answer
        if is_late:
            raise AssertionError(f"{what or predicate} did not come true within {within_s} s; last answer: {answer!r}")
        time.sleep(min(pause_s, max(deadline - time.monotonic(), 0)))
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
