"""One loop: a step, done again at every hint, at every interval, and with back-off after an error."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterUnavailable
from scheduler.ports.journal import StorageUnavailable
from scheduler.ports.wake_up import Waiter

logger = logging.getLogger(__name__)

FIRST_BACK_OFF_S = 0.1
LONGEST_BACK_OFF_S = 5.0
LONGEST_REST_S = 0.05
"""After a step a loop rests for as long as the step took, but no longer than this: hints that come thickly are worked
on together, and half of the time at least is left to the others. A hint to an idle loop does not wait."""

Step = Callable[[], float]
"""Does one step and returns after how many seconds at the latest the next one is due."""


@dataclass(frozen=True, slots=True)
class LoopHealth:
    """Whether a loop does its work."""

    name: str
    failures_in_a_row: int
    last_error: str | None
    s_since_success: float | None
    """None before the first step that succeeded."""


class Loop:
    """Runs a step in a thread of its own until it is stopped.

    An exception of the type `fatal` ends the loop and calls `on_fatal`; any other is logged and the step tried
    again, later each time up to five seconds.
    """

    def __init__(
        self,
        name: str,
        step: Step,
        waiter: Waiter,
        clock: Clock,
        *,
        fatal: type[Exception],
        on_fatal: Callable[[], None],
    ) -> None:
        self._name = name
        self._step = step
        self._waiter = waiter
        self._clock = clock
        self._fatal = fatal
        self._on_fatal = on_fatal
        self._stopping = threading.Event()
        self._failures = 0
        self._last_error: str | None = None
        self._succeeded_at_s: float | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first step is done at once."""
        self._thread.start()

    def stop(self, *, timeout_s: float) -> bool:
        """Ask the loop to end after its present step and wait for that; say whether it did."""
        self._stopping.set()
        self._waiter.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def health(self) -> LoopHealth:
        """How the loop fares."""
        succeeded = self._succeeded_at_s
        age_s = None if succeeded is None else self._clock.monotonic_s() - succeeded
        return LoopHealth(self._name, self._failures, self._last_error, age_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            began_s = self._clock.monotonic_s()
            try:
                wait_s = self._step()
            except self._fatal as error:
                logger.critical("%s ends: %s", self._name, type(error).__name__)
                self._last_error = type(error).__name__
                self._on_fatal()
                return
            except Exception as error:  # noqa: BLE001 - logged, and tried again
                self._note(error)
                # A plain wait: hints must not turn a failing step into a busy loop.
                self._stopping.wait(self._back_off_s())
                continue
            self._failures = 0
            self._last_error = None
            self._succeeded_at_s = self._clock.monotonic_s()
            rest_s = min(self._succeeded_at_s - began_s, LONGEST_REST_S, wait_s)
            if rest_s > 0:
                self._stopping.wait(rest_s)
            self._waiter.wait(wait_s - rest_s)

    def _note(self, error: Exception) -> None:
        """Count and log an error; an outage in one line, and once for as long as it is the same."""
        text = f"{type(error).__name__}: {error}"
        if not isinstance(error, ClusterUnavailable | StorageUnavailable):
            logger.error("%s failed; it is tried again", self._name, exc_info=error)
        elif text != self._last_error:
            logger.warning("%s waits: %s", self._name, error)
        self._failures += 1
        self._last_error = text

    def _back_off_s(self) -> float:
        longest = min(FIRST_BACK_OFF_S * float(1 << min(self._failures - 1, 10)), LONGEST_BACK_OFF_S)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
