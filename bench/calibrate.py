"""What this machine does right now: figures of Medley are read against these, taken in the same run."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

UNIT_ITERATIONS = 1_000_000
DURABLE_WRITES = 50
INTERPRETER_STARTS = 10


def unit_ns() -> float:
    """Return the time of one iteration of a fixed loop, in nanoseconds."""
    d = dict.fromkeys(range(1024), 0)
    n = UNIT_ITERATIONS
    start = time.perf_counter_ns()
    for i in range(n):
        k = i & 1023
        d[k] = d[k] + 1
    return (time.perf_counter_ns() - start) / n


def durable_write_ms() -> float:
    """Return the median time of appending 8 KiB to a file and syncing it, in milliseconds."""
    times_ms = []
    with tempfile.TemporaryDirectory() as folder, Path(folder, "probe").open("wb", buffering=0) as file:
        for _ in range(DURABLE_WRITES):
            start = time.perf_counter()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            times_ms.append((time.perf_counter() - start) * 1000)
    return median(times_ms)


def interpreter_start_ms() -> float:
    """Return the median time to start and end a bare Python interpreter, in milliseconds."""
    times_ms = []
    for _ in range(INTERPRETER_STARTS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True, timeout=30)
        times_ms.append((time.perf_counter() - start) * 1000)
    return median(times_ms)
