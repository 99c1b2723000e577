"""Reading a worker's output by offset, while it grows and its oldest part is dropped."""

import codecs
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
    start, content, is_last = _read_bytes(folder / records.OUTPUT, offset, limit)
    is_complete = has_ended and is_last
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = decoder.decode(content, final=is_complete or limit < _LONGEST_CHARACTER_BYTES)
    cut_off, _ = decoder.getstate()
    return LogChunk(text=text, start=start, end=start + len(content) - len(cut_off), is_complete=is_complete)


def _read_bytes(folder: Path, offset: int, limit: int) -> tuple[int, bytes, bool]:
    """Return where the bytes start, the bytes, and whether nothing comes after them now."""
    content = b""
    start = offset
    for first, segment in _segments(folder):
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
            return start, content, start + len(content) >= _end(folder)
    return start, content, True


def _segments(folder: Path) -> list[tuple[int, Path]]:
    """Return the kept segments with their starts, oldest first."""
    try:
        return sorted((int(segment.name), segment) for segment in folder.iterdir())
    except FileNotFoundError:
        return []


def _end(folder: Path) -> int:
    segments = _segments(folder)
    return segments[-1][0] + segments[-1][1].stat().st_size if segments else 0
