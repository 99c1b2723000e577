"""How fast the machine is right now: a bound of time is one of a quiet machine, and grows while others use it too."""

import time
from collections.abc import Callable

from bench.calibrate import unit_ns

QUIET_UNIT_NS = 70.0
"""What the calibrator takes on two cores that nobody else uses."""


def slowness() -> float:
    """Return how many times slower than a quiet machine this one is now, never below 1."""
    return max(1.0, unit_ns() / QUIET_UNIT_NS)


def quiet_s(act: Callable[[], object], runs: int) -> float:
    """Return how long something takes at best, in seconds of a quiet machine."""
    return min(_one_s(act) for _ in range(runs))


def _one_s(act: Callable[[], object]) -> float:
    before = slowness()
    began_s = time.perf_counter()
    act()
    took_s = time.perf_counter() - began_s
    return took_s / ((before + slowness()) / 2)
