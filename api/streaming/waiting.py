"""Hold an answer, bounded, until something is true."""

import time
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from api.streaming.hints import Hint
from scheduler.ports.wake_up import WakeUp

POLL_S = 0.5
"""A lost hint delays an answer by no more than this."""

Value = TypeVar("Value")


async def wait_until(
    look: Callable[[], Value], is_enough: Callable[[Value], bool], wake_up: WakeUp, *, wait_s: float
) -> Value:
    """Return the first look that is enough, or the last one when the time is over; looks again at every hint."""
    ends_at_s = time.monotonic() + wait_s
    with Hint.listening(wake_up) as hint:
        while True:
            seen = await run_in_threadpool(look)
            left_s = ends_at_s - time.monotonic()
            if is_enough(seen) or left_s <= 0:
                return seen
            await hint.wait(min(left_s, POLL_S))
