"""Processor time: on a machine that others use too, the wall clock tells more of them than of what is measured."""

import time

from bench.calibrate import UNIT_ITERATIONS, unit_ns

now_ns = time.thread_time_ns
"""The processor time of this thread so far, in nanoseconds; asking takes about half a microsecond."""


def unit_cpu_ns() -> float:
    """Return the processor time of one iteration of the calibrator's loop, in nanoseconds."""
    start = now_ns()
    unit_ns()
    return (now_ns() - start) / UNIT_ITERATIONS
