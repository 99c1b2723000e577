"""Hints of the wake-up port for a coroutine."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from scheduler.ports.wake_up import WakeUp


class Hint:
    """Remembers that at least one hint came since the last wait, however many came and from whatever thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._is_on_its_way = False

    @classmethod
    @contextmanager
    def listening(cls, wake_up: WakeUp) -> Iterator[Self]:
        """Listen while the block runs."""
        hint = cls()
        stop = wake_up.listen(hint._notice)
        try:
            yield hint
        finally:
            stop()

    async def wait(self, timeout_s: float) -> None:
        """Return once a hint came since the last wait, or when the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._came.wait()
        self._came.clear()

    def _notice(self) -> None:
        if self._is_on_its_way:
            return
        self._is_on_its_way = True
        # The loop is closed where the server ended while a hint was on its way: nobody waits any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._arrive)

    def _arrive(self) -> None:
        self._is_on_its_way = False
        self._came.set()
