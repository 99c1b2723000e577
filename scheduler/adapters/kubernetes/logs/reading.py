"""Reading a worker's output by offset, while it grows and its oldest part is dropped."""

import codecs
from pathlib import Path

from scheduler.adapters.kubernetes.logs.spool import Record, segments
from scheduler.ports.cluster import LogChunk

UNKNOWN = LogChunk(text="", start=0, end=0, is_complete=False)

_LONGEST_CHARACTER_BYTES = 4


def read_spool(folder: Path, *, offset: int, limit: int) -> LogChunk:
    """Return at most `limit` bytes of a worker's output from `offset` on, or from the oldest byte after it.

    A character is not split between two chunks, unless `limit` is smaller than a character. Bytes that are not UTF-8
    become U+FFFD.
    """
    record = Record.read(folder)  # before the output: where it says that all is there, it is
    start, content, is_gap = _read(folder, offset, limit)
    end = start + len(content)
    is_complete = record.has_ended and end >= record.end
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    is_final = is_complete or is_gap or limit < _LONGEST_CHARACTER_BYTES
    text = decoder.decode(content, final=is_final)
    cut_off, _ = decoder.getstate()
    return LogChunk(text=text, start=start, end=end - len(cut_off), is_complete=is_complete)


def _read(folder: Path, offset: int, limit: int) -> tuple[int, bytes, bool]:
    """Return where the piece starts, the piece, and whether output is gone behind it."""
    start, content = offset, b""
    for first, path in segments(folder):
        if content and first > start + len(content):
            return start, content, True
        try:
            size = path.stat().st_size
            if first + size <= start:
                continue
            if not content:
                start = max(start, first)
            with path.open("rb") as file:
                file.seek(start + len(content) - first)
                content += file.read(limit - len(content))
        except FileNotFoundError:
            continue  # dropped meanwhile: what comes after it is the oldest now
        if len(content) >= limit:
            break
    return start, content, False
