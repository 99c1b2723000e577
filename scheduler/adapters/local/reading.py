"""Reading a worker's output by offset, while it grows and its oldest part is dropped."""

import codecs
import enum
from dataclasses import dataclass
from pathlib import Path

from scheduler.adapters.local.supervisor import records
from scheduler.ports.cluster import LogChunk

UNKNOWN = LogChunk(text="", start=0, end=0, is_complete=False)

_LONGEST_CHARACTER_BYTES = 4


def read_output(folder: Path, *, offset: int, limit: int) -> LogChunk:
    """Return at most `limit` bytes of a worker's output from `offset` on.

    A character is not split between two chunks, unless `limit` is smaller than a character.
    """
    has_ended = records.Ended.read(str(folder)) is not None  # before the output: then all of it is there
    piece = _read_piece(folder / records.OUTPUT, offset, limit)
    is_complete = has_ended and piece.after is _After.NOTHING
    is_final = is_complete or piece.after is _After.GAP or limit < _LONGEST_CHARACTER_BYTES
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = decoder.decode(piece.content, final=is_final)
    cut_off, _ = decoder.getstate()
    return LogChunk(text=text, start=piece.start, end=piece.end - len(cut_off), is_complete=is_complete)


class _After(enum.Enum):
    NOTHING = enum.auto()
    """Nothing now."""
    GAP = enum.auto()
    """Output that is gone, then more."""
    MORE = enum.auto()


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    content: bytes
    after: _After

    @property
    def end(self) -> int:
        return self.start + len(self.content)


def _read_piece(folder: Path, offset: int, limit: int) -> _Piece:
    """Read on from an offset, or from the oldest byte after it that is there, at most to the next gap."""
    content = b""
    start = offset
    for first, segment in _segments(folder):
        if content and first > start + len(content):
            return _Piece(start, content, _After.GAP)
        try:
            size = segment.stat().st_size
            if first + size <= start and not content:
                continue
            if not content:
                start = max(start, first)
            with segment.open("rb") as file:
                file.seek(start + len(content) - first)
                content += file.read(limit - len(content))
        except FileNotFoundError:
            continue  # dropped meanwhile: what comes after it is the oldest now
        if len(content) == limit:
            return _Piece(start, content, _After.NOTHING if start + limit >= _end(folder) else _After.MORE)
    return _Piece(start, content, _After.NOTHING)


def _segments(folder: Path) -> list[tuple[int, Path]]:
    """Return the kept segments with their starts, oldest first."""
    try:
        return sorted((int(segment.name), segment) for segment in folder.iterdir())
    except FileNotFoundError:
        return []


def _end(folder: Path) -> int:
    segments = _segments(folder)
    return segments[-1][0] + segments[-1][1].stat().st_size if segments else 0
