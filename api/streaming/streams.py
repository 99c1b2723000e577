"""The open streams of this process: how many there may be, and the few threads they read with."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from scheduler.core.model.identifiers import TenantName

MOST_STREAMS = 200
MOST_STREAMS_OF_A_TENANT = 50
MOST_READING_THREADS = 4

Value = TypeVar("Value")


class Streams:
    """Bounds what streams take from everybody else: their number, and the threads in which they read."""

    def __init__(self, most: int, most_of_a_tenant: int) -> None:
        self._most = most
        self._most_of_a_tenant = most_of_a_tenant
        self._open: Counter[TenantName | None] = Counter()
        self._threads = ThreadPoolExecutor(MOST_READING_THREADS, thread_name_prefix="stream-reader")

    @contextmanager
    def enter(self, tenant: TenantName | None) -> Iterator[bool]:
        """Give whether there was room; what entered leaves with the block.

        The cluster-wide roles, which have no tenant, are bounded together like one.
        """
        has_room = self._open[tenant] < self._most_of_a_tenant and self._open.total() < self._most
        self._open[tenant] += has_room
        try:
            yield has_room
        finally:
            self._open[tenant] -= has_room
            if not self._open[tenant]:
                del self._open[tenant]

    async def read(self, look: Callable[[], Value]) -> Value:
        """Call something that blocks, in one of the streams' own threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, look)
