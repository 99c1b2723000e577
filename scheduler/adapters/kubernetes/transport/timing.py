"""Time and chance as the transport and the reflectors see them, so that tests can stand in for both."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Where moments, pauses and jitter come from."""

    monotonic_s: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    """A number from 0 to below 1. Jitter only: nothing secret follows from it."""
    pause: Callable[[threading.Event, float], bool] = threading.Event.wait
    """Waits some seconds or until the event is set; says whether it is."""
