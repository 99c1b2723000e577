"""How many requests are under way at once, and the moment before which the server wants none."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from scheduler.adapters.kubernetes.transport.faults import ApiFault, Unreachable
from scheduler.adapters.kubernetes.transport.timing import Timing

LONGEST_HOLD_S = 60.0
UNTOLD_HOLD_S = 1.0
"""How long to hold back where a 429 does not say."""
JITTER = 0.25


class Backpressure:
    """Slots for requests, and one gate in front of all of them."""

    def __init__(self, slots: int, *, timing: Timing, closing: threading.Event) -> None:
        self._slots = threading.BoundedSemaphore(slots)
        self._count = slots
        self._timing = timing
        self._closing = closing
        self._guard = threading.Lock()
        self._not_before_s = float("-inf")

    @contextmanager
    def slot(self, deadline_s: float, *, asked: str) -> Iterator[None]:
        """Hold one of the slots, once there is one and the gate is open.

        Raises Unreachable where none comes free before the deadline, ApiFault 429 as `pass_gate` does.
        """
        left_s = max(deadline_s - self._timing.monotonic_s(), 0)
        if not self._slots.acquire(timeout=left_s):
            raise Unreachable(
                f"{asked}: not sent, {self._count} requests are under way and none ended in time; "
                "the API server is slow, try again later"
            )
        try:
            self.pass_gate(deadline_s, asked=asked)
            yield
        finally:
            self._slots.release()

    def pass_gate(self, deadline_s: float, *, asked: str) -> None:
        """Wait until the server wants requests again. Raises ApiFault 429 at once where that is past the deadline."""
        while not self._closing.is_set():
            with self._guard:
                now_s = self._timing.monotonic_s()
                wait_s = self._not_before_s - now_s
            if wait_s <= 0:
                return
            if now_s + wait_s > deadline_s:
                raise ApiFault(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    reason="TooManyRequests",
                    message=f"not sent: the API server asked for no requests for another {wait_s:.1f} s",
                    retry_after_s=wait_s,
                    asked=asked,
                )
            # those who wait do not all come at the same moment
            self._timing.pause(self._closing, wait_s + min(wait_s, 1.0) * JITTER * self._timing.random())
        raise Unreachable(f"{asked}: not sent, the connection to the cluster is being closed")

    def hold(self, retry_after_s: float | None) -> None:
        """Note that the server wants no requests for so long; an earlier, longer wish stays."""
        wished_s = UNTOLD_HOLD_S if retry_after_s is None else retry_after_s
        held_s = min(wished_s * (1 + JITTER * self._timing.random()), LONGEST_HOLD_S)
        with self._guard:
            self._not_before_s = max(self._not_before_s, self._timing.monotonic_s() + held_s)
