"""The open streams of this process: how many there may be, and the few threads they read with."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

MOST_STREAMS = 200
MOST_READING_THREADS = 4

Value = TypeVar("Value")


class Streams:
    """Bounds what streams take from everybody else: their number, and the threads in which they read."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._threads = ThreadPoolExecutor(MOST_READING_THREADS, thread_name_prefix="stream-reader")

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """Give whether there was room; what entered leaves with the block."""
        has_room = self._open < self._most
        self._open += has_room
        try:
            yield has_room
        finally:
            self._open -= has_room

    async def read(self, look: Callable[[], Value]) -> Value:
        """Call something that blocks, in one of the streams' own threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, look)
