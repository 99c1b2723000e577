"""Processes of a worker whose supervisor was killed: found by the launch document that their environment names."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_ROUNDS = 200
_PAUSE_S = 0.01


class StillThere(Exception):
    """Processes of a worker could not be ended."""


def kill_leftovers(launch: Path) -> None:
    """Kill every process whose MEDLEY_LAUNCH is `launch`; returns when there is none. Raises StillThere after 2 s."""
    mark = os.fsencode(f"MEDLEY_LAUNCH={launch}")
    for _ in range(_ROUNDS):
        processes = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        if not [pid for pid in processes if _kill_if_marked(pid, mark)]:
            return
        time.sleep(_PAUSE_S)
    raise StillThere(launch)


def _kill_if_marked(pid: int, mark: bytes) -> bool:
    """Kill a process if its environment holds the mark; the descriptor makes sure that it is the one looked at."""
    if not _is_marked(pid, mark):
        return False
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if _is_marked(pid, mark):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            return True
        return False
    finally:
        os.close(descriptor)


def _is_marked(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
