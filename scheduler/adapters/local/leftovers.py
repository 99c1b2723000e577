"""Processes of a worker whose supervisor was killed, as far as they can be told from all others.

Found is a process
- whose environment names the worker's launch document, or
- which is in the session that the worker's first process led (and so each process group of it), or
- whose parent, or parent's parent, is one of these.

Not found is one that did all three: it started a session of its own, cleared its environment, and its parent ended.
While the supervisor lives such a process becomes its child and ends with the worker. Only a kernel that counts (control
groups) could do better, and that takes rights that Medley does not ask for.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from scheduler.adapters.local.supervisor.processes import ProcessIdentity, Relatives, running

_PAUSE_S = 0.01


def kill_leftovers(launch: Path, worker: ProcessIdentity, *, patience_s: float) -> list[int]:
    """Kill what is left of the worker with this launch document and first process, again and again.

    Return the ids of those that are still there after `patience_s`; none as soon as there is none. Raises OSError: this
    process may open no more files.
    """
    give_up_s = time.monotonic() + patience_s
    while left := _find(launch, worker):
        for process in left:
            _kill(process)
        if time.monotonic() >= give_up_s:
            break
        time.sleep(_PAUSE_S)
    return sorted(process.pid for process in left)


def _find(launch: Path, worker: ProcessIdentity) -> list[ProcessIdentity]:
    everyone = running()
    has_session = _has_session(worker, everyone)
    mark = os.fsencode(f"MEDLEY_LAUNCH={launch}")
    ours = [
        known
        for known in everyone
        if (has_session and known.session == worker.pid and not known.process.is_older_than(worker))
        or _is_marked(known.process.pid, mark)
    ]
    return [known.process for known in _with_descendants(ours, everyone)]


def _has_session(worker: ProcessIdentity, everyone: list[Relatives]) -> bool:
    """Say whether the session of the worker's number can still be its own.

    A number is not given again while a session bears it, but it is after that; then its new owner shows.
    """
    return all(known.process.start == worker.start for known in everyone if known.process.pid == worker.pid)


def _with_descendants(ours: list[Relatives], everyone: list[Relatives]) -> list[Relatives]:
    children: dict[int, list[Relatives]] = {}
    for known in everyone:
        children.setdefault(known.parent, []).append(known)
    found = {known.process.pid: known for known in ours}
    waiting = list(ours)
    while waiting:
        for child in children.get(waiting.pop().process.pid, []):
            if child.process.pid not in found:
                found[child.process.pid] = child
                waiting.append(child)
    return list(found.values())


def _is_marked(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _kill(process: ProcessIdentity) -> None:
    with suppress(PermissionError):  # it runs as another user by now: it counts as left until somebody else ends it
        process.send(signal.SIGKILL)
