"""One server per database file: a lock that ends with the process that holds it."""

import fcntl
import os
from pathlib import Path


class AlreadyLocked(Exception):
    """Another process holds the lock."""

    __match_args__ = ("path", "holder")

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is locked by {holder}")
        self.path = path
        self.holder = holder
        """What the other process wrote about itself."""


class ProcessLock:
    """An exclusive lock on a file, given back when the process ends in whatever way."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises AlreadyLocked."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 200, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise AlreadyLocked(path, holder) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"process {os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)
