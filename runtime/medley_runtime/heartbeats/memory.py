"""How much memory a worker uses, as the kernel tells."""

from __future__ import annotations

import os
import resource
import sys

_MIB = 1024 * 1024
_MOST_PROCESSES = 4096


def own_memory_mib() -> int:
    """Return this process's resident memory."""
    return _resident_mib(os.getpid()) or _peak_mib()


def tree_memory_mib(root: int) -> int:
    """Return the resident memory of a process and all below it; pages that they share count for each."""
    waiting, found = [root], 0
    for _ in range(_MOST_PROCESSES):
        if not waiting:
            break
        pid = waiting.pop()
        found += _resident_mib(pid)
        waiting += _children(pid)
    return found


def device_memory_mib(torch_device: str) -> int | None:
    """Return the most that torch held of the worker's device so far; None for CPU and where torch cannot tell."""
    kind = torch_device.partition(":")[0]
    module = getattr(sys.modules.get("torch"), kind, None)
    ask = getattr(module, "max_memory_allocated", None)
    if kind == "cpu" or ask is None:
        return None
    try:
        return int(ask()) // _MIB
    except RuntimeError:
        return None


def _resident_mib(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123 - read often
            return int(file.read().split()[1]) * resource.getpagesize() // _MIB
    except (OSError, ValueError, IndexError):
        return 0


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:  # noqa: PTH123 - read often
            return [int(child) for child in file.read().split()]
    except (OSError, ValueError):
        return []


def _peak_mib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak // _MIB if sys.platform == "darwin" else peak // 1024)
