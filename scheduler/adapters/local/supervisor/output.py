"""What a worker prints, kept within bounds: segments named by the byte they start at, the oldest dropped.

A byte's offset in all that was ever printed stays its address, also when older output is gone.
"""

import os

SEGMENT_BYTES = 4 * 1024 * 1024
SEGMENTS_KEPT = 4

_READ_BYTES = 64 * 1024
_READS_AT_ONCE = 16
"""Then other duties have their turn: a worker that prints without end cannot keep its supervisor busy."""


def segment_name(start: int) -> str:
    """Return the name of the segment that starts at a byte; names sort like their starts."""
    return f"{start:020d}"


class OutputKeeper:
    """Carries a worker's output from its pipe into the segments."""

    __slots__ = ("_end", "_folder", "_kept", "_pipe", "_segment", "_segment_start")

    def __init__(self, folder: str, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._folder = folder
        self._pipe = pipe
        self._kept: list[str] = []
        self._end = 0
        self._segment_start = 0
        self._segment = self._open_segment()

    def carry(self) -> bool:
        """Keep what the pipe holds now; says whether more may come."""
        for _ in range(_READS_AT_ONCE):
            try:
                content = os.read(self._pipe, _READ_BYTES)
            except BlockingIOError:
                return True
            if not content:
                return False
            self._keep(content)
        return True

    def finish(self) -> None:
        """Keep what is left in the pipe, at most its capacity: somebody else may still hold its other end open."""
        self.carry()
        os.close(self._segment)
        os.close(self._pipe)

    def _keep(self, content: bytes) -> None:
        while content:
            if self._end - self._segment_start >= SEGMENT_BYTES:
                os.close(self._segment)
                self._segment = self._open_segment()
            room = SEGMENT_BYTES - (self._end - self._segment_start)
            try:
                written = os.write(self._segment, content[:room])
            except OSError:
                return  # the disk is full: output is lost rather than the worker
            self._end += written
            content = content[written:]

    def _open_segment(self) -> int:
        path = os.path.join(self._folder, segment_name(self._end))
        segment = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._segment_start = self._end
        self._kept.append(path)
        if len(self._kept) > SEGMENTS_KEPT:
            os.unlink(self._kept.pop(0))
        return segment
