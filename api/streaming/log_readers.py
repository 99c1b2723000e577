"""The few threads in which logs are read: a cluster that does not answer must not take those of everybody else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from api.problems import Code, Refusal, unavailable

MOST_AT_ONCE = 8
WAIT_S = 1.0

Value = TypeVar("Value")


class LogReaders:
    """Bounds how many requests for logs are worked on at the same time."""

    def __init__(self, most: int = MOST_AT_ONCE, *, wait_s: float = WAIT_S) -> None:
        """A request waits for its turn for `wait_s`, which takes no thread."""
        self._wait_s = wait_s
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="log-reader")

    async def read(self, look: Callable[[], Value]) -> Value:
        """Call something that blocks. Raises Refusal (not now) where it does not come to its turn in time."""
        turn = self._threads.submit(look)
        try:
            found = asyncio.wrap_future(turn)
            await asyncio.wait({found}, timeout=self._wait_s)
            if turn.cancel():  # it has not begun
                raise Refusal(unavailable(Code.TOO_MANY_LOG_READERS, "As many as can be served are reading logs."))
            return await found
        finally:
            turn.cancel()  # the client has gone
