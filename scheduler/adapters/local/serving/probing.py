"""Whether servers of this machine answer as ready: asked again and again, by a few threads of their own."""

import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scheduler.adapters.local.serving.ports import LOOPBACK
from scheduler.core.model.identifiers import WorkerKey

INTERVAL_S = 0.5
ANSWER_S = 1.0
FIRST_ANSWER_S = 0.2
"""Whoever is met for the first time is asked at once: a server that was adopted after a restart need not seem unready
until its turn comes."""
PATIENCE = 3
"""So many bad answers in a row, and who was ready is so no more."""
MOST_AT_ONCE = 8
_READY = range(200, 400)
_MOST_BYTES = 256
"""Of an answer that is read: its first line is enough."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a server is asked."""

    port: int
    path: str


@dataclass(slots=True)
class _Known:
    door: Door
    is_ready: bool
    failures: int = 0


class Prober:
    """Knows of each server that it was told of whether it is ready. Its threads begin with the first one."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """`on_change` is called from a thread when a server became ready, or is so no more; it must not block."""
        self._on_change = on_change
        self._guard = threading.Lock()
        self._known: dict[WorkerKey, _Known] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def is_ready(self, key: WorkerKey, door: Door) -> bool:
        """Return whether a server was ready when it was last asked; takes 0.2 s at most, for one that is new."""
        with self._guard:
            known = self._known.get(key)
        if known is None:
            known = _Known(door, answers(door, within_s=FIRST_ANSWER_S))
            with self._guard:
                self._known[key] = known
                self._start()
        return known.is_ready

    def keep(self, keys: Iterable[WorkerKey]) -> None:
        """Ask no others any more."""
        kept = set(keys)
        with self._guard:
            self._known = {key: known for key, known in self._known.items() if key in kept}

    def close(self) -> None:
        """End the threads; may be called again."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(target=self._run, name="local-cluster-prober", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="local-cluster-probe") as threads:
            while not self._closing.wait(INTERVAL_S):
                with self._guard:
                    asked = list(self._known.values())
                heard = threads.map(lambda known: answers(known.door, within_s=ANSWER_S), asked)
                changed = [_note(known, is_good=is_good) for known, is_good in zip(asked, heard, strict=True)]
                if True in changed:
                    self._on_change()


def _note(known: _Known, *, is_good: bool) -> bool:
    """Take an answer in; say whether the server became ready by it, or is so no more."""
    known.failures = 0 if is_good else known.failures + 1
    before = known.is_ready
    known.is_ready = is_good or (before and known.failures < PATIENCE)
    return known.is_ready is not before


def answers(door: Door, *, within_s: float) -> bool:
    """Ask once; say whether the answer came in time and is one of who is ready. Never raises OSError."""
    until_s = time.monotonic() + within_s
    request = f"GET {door.path} HTTP/1.1\r\nHost: {LOOPBACK}:{door.port}\r\nConnection: close\r\n\r\n"
    heard = b""
    try:
        with socket.create_connection((LOOPBACK, door.port), timeout=within_s) as connection:
            connection.sendall(request.encode("ascii"))
            while b"\n" not in heard and len(heard) < _MOST_BYTES:
                connection.settimeout(max(until_s - time.monotonic(), 0.001))
                piece = connection.recv(_MOST_BYTES)
                if not piece or time.monotonic() > until_s:
                    break
                heard += piece
    except OSError:
        return False
    return _status(heard) in _READY


def _status(heard: bytes) -> int:
    words = heard.split(b"\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():  # noqa: PLR2004 - version, status
        return 0
    return int(words[1][:3])
