"""One worker's output on disk: segments named by the byte they start at, the oldest dropped, and how far they reach.

A byte's offset in all that was ever taken stays its address, also once older output is gone. What stands in the
segments beyond the last saved record is cut off when a spool is opened: it is fetched again, and nothing comes twice.
"""

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scheduler.adapters.kubernetes.logs.lines import Position

RECORD = "record.json"
SEGMENT_BYTES = 256 * 1024

_NAME_DIGITS = 20


@dataclass(slots=True)
class Record:
    """What is known of a spool beside its bytes."""

    uid: str = ""
    """Of the pod that it was taken from."""
    end: int = 0
    """Offset behind the last byte."""
    position: Position = field(default_factory=Position)
    saw_end: bool = False
    """The last request for the log came to its end."""
    has_ended: bool = False
    """All that can be had is here."""

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """Return a folder's record; a new one where there is none, or none that can be read."""
        try:
            document: Any = json.loads((folder / RECORD).read_bytes())
            position = Position(**document.pop("position"))
            return cls(position=position, **document)
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            return cls()

    def write(self, folder: Path) -> None:
        """Replace the folder's record. Raises OSError."""
        draft = folder / f"{RECORD}.new"
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(folder / RECORD)


def segments(folder: Path) -> list[tuple[int, Path]]:
    """Return the segments with their starts, oldest first."""
    try:
        return sorted((int(path.name), path) for path in folder.iterdir() if path.name.isdigit())
    except FileNotFoundError:
        return []


class Spool:
    """Adds to one worker's output. For one writer at a time; readers look at the folder."""

    def __init__(self, folder: Path, *, kept_bytes: int, grew: Callable[[int], None]) -> None:
        """Open the folder or make it; `grew` is told by how many bytes it grew or shrank. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._kept_bytes = max(kept_bytes, 2 * SEGMENT_BYTES)
        self._grew = grew
        self.record = Record.read(folder)
        self._sizes: dict[int, int] = {}
        """Of each segment by its start, oldest first."""
        for start, path in segments(folder):
            self._cut_off(start, path)

    def add(self, content: bytes) -> None:
        """Add output; where the disk refuses it, it is lost, and what comes later keeps its offset."""
        self._grew(len(content))
        while content:
            start, size = next(reversed(self._sizes.items()), (-1, SEGMENT_BYTES))
            if size >= SEGMENT_BYTES or start + size != self.record.end:
                start, size = self.record.end, 0
                self._drop_oldest()
            part = content[: SEGMENT_BYTES - size]
            with contextlib.suppress(OSError):
                with self._path(start).open("ab") as file:
                    file.write(part)
                self._sizes[start] = size + len(part)
            self.record.end += len(part)
            content = content[len(part) :]

    def save(self) -> None:
        """Write down how far the spool reaches. Raises OSError."""
        self.record.write(self._folder)

    def _drop_oldest(self) -> None:
        while self._sizes and sum(self._sizes.values()) > self._kept_bytes - SEGMENT_BYTES:
            start = next(iter(self._sizes))
            self._grew(-self._sizes.pop(start))
            self._path(start).unlink(missing_ok=True)

    def _cut_off(self, start: int, path: Path) -> None:
        """Take a segment in, without what is beyond the record's end."""
        size = path.stat().st_size
        kept = min(size, self.record.end - start)
        if kept <= 0:
            path.unlink(missing_ok=True)
            return
        if kept < size:
            os.truncate(path, kept)
        self._sizes[start] = kept

    def _path(self, start: int) -> Path:
        return self._folder / f"{start:0{_NAME_DIGITS}d}"
