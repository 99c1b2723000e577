"""What a worker prints, kept within bounds: segments named by the byte they start at, the oldest dropped.

A byte's offset in all that was ever printed stays its address, also when older output is gone, or when the disk refused
some: after such a gap a new segment starts.
"""

import os

SEGMENT_BYTES = 4 * 1024 * 1024
SEGMENTS_KEPT = 4
KEPT_BYTES = SEGMENT_BYTES * SEGMENTS_KEPT

_MOST_SEGMENTS = 64
"""Short ones, between gaps, are kept up to this number."""
_READ_BYTES = 64 * 1024
_READS_AT_ONCE = 16
"""Then other duties have their turn: a worker that prints without end cannot keep its supervisor busy."""


def segment_name(start: int) -> str:
    """Return the name of the segment that starts at a byte; names sort like their starts."""
    return f"{start:020d}"


class OutputKeeper:
    """Carries a worker's output from its pipe into the segments; where it cannot, output is lost, not the worker."""

    __slots__ = ("_closed", "_end", "_folder", "_pipe", "_segment", "_segment_start")

    def __init__(self, folder: str, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._folder = folder
        self._pipe = pipe
        self._closed: list[tuple[str, int]] = []
        """Path and bytes of each kept segment that nothing is added to, oldest first."""
        self._end = 0
        self._segment: int | None = None
        self._segment_start = 0

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
        self._close_segment()
        os.close(self._pipe)

    def _keep(self, content: bytes) -> None:
        while content:
            try:
                written = self._write(content)
            except OSError:  # the disk is full, or no file can be opened
                self._close_segment()  # what comes later does not follow what is in it
                self._end += len(content)
                return
            self._end += written
            content = content[written:]

    def _write(self, content: bytes) -> int:
        """Add to the segment, a new one where it is full; return how many bytes were added. Raises OSError."""
        if self._segment is not None and self._end - self._segment_start >= SEGMENT_BYTES:
            self._close_segment()
        if self._segment is None:
            self._drop_oldest()
            self._segment = self._open_segment()
            self._segment_start = self._end
        return os.write(self._segment, content[: SEGMENT_BYTES - (self._end - self._segment_start)])

    def _open_segment(self) -> int:
        return os.open(self._path(self._end), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def _close_segment(self) -> None:
        if self._segment is None:
            return
        segment, self._segment = self._segment, None
        path, size = self._path(self._segment_start), self._end - self._segment_start
        try:
            os.close(segment)
            if size == 0:
                os.unlink(path)
        except OSError:
            pass  # a disk that is full may say so only now; what reached it can be read
        if size:
            self._closed.append((path, size))

    def _drop_oldest(self) -> None:
        """Make room for a segment."""
        while self._closed and (self._is_enough_without_oldest() or len(self._closed) >= _MOST_SEGMENTS):
            path, _ = self._closed[0]
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass  # somebody else deleted it
            del self._closed[0]

    def _is_enough_without_oldest(self) -> bool:
        """Say whether all others and a new segment are as much as is to be kept."""
        return sum(size for _, size in self._closed[1:]) >= KEPT_BYTES - SEGMENT_BYTES

    def _path(self, start: int) -> str:
        return os.path.join(self._folder, segment_name(start))
