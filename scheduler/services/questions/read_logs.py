"""Read what workers printed, rank by rank, from where the reader stopped."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scheduler.core.model.attempt import Attempt
from scheduler.core.model.group import HOLDING
from scheduler.core.model.identifiers import ClusterName, WorkerKey
from scheduler.ports.cluster import ClusterReader, LogChunk

_CURSOR = re.compile(r"(\d{1,9})((?:\.\d{1,5}:\d{1,15})*)")


class BadCursor(ValueError):
    """The cursor is none that `read_logs` handed out."""


@dataclass(frozen=True, slots=True)
class LogCursor:
    """Where a reader stands: an attempt's number and how many bytes were read of each rank."""

    attempt: int
    offsets: Mapping[int, int]

    def encode(self) -> str:
        """Return the cursor as an opaque text."""
        return f"{self.attempt}" + "".join(f".{rank}:{offset}" for rank, offset in sorted(self.offsets.items()))

    @staticmethod
    def decode(text: str) -> "LogCursor":
        """Read a cursor's text. Raises BadCursor."""
        match = _CURSOR.fullmatch(text) if text.isascii() else None
        if match is None:
            raise BadCursor(text[:80])
        pairs = (pair.split(":") for pair in match.group(2).split(".")[1:])
        return LogCursor(int(match.group(1)), {int(rank): int(offset) for rank, offset in pairs})


@dataclass(frozen=True, slots=True)
class LogEntry:
    """New output of one worker."""

    rank: int
    """Its number: its rank, but for workers that came later."""
    text: str
    skipped_bytes: int
    """Older output that the cluster no longer keeps, lost between the last read and this one."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """What is new since the cursor."""

    attempt: int
    entries: tuple[LogEntry, ...]
    next: LogCursor
    is_complete: bool
    """The attempt is over and everything was read."""


def read_logs(
    clusters: Sequence[ClusterReader],
    attempt: Attempt,
    *,
    ranks: Sequence[int],
    cursor: LogCursor | None,
    limit: int,
    until_s: float,
    monotonic_s: Callable[[], float],
) -> LogPage:
    """Return at most `limit` bytes per rank that came after the cursor; a cursor of another attempt starts anew.

    Output that has to be fetched is fetched for all ranks at once, and waited for until `until_s`; what comes later
    is on a later page. A rank whose cluster is not connected has no output and counts as complete.
    """
    by_name: dict[ClusterName, ClusterReader] = {cluster.name: cluster for cluster in clusters}
    offsets = dict(cursor.offsets) if cursor is not None and cursor.attempt == attempt.number else {}

    def chunk_of(rank: int, within_s: float) -> LogChunk | None:
        cluster = by_name.get(attempt.allocations[0].node.partition("/")[0])
        if cluster is None:
            return None
        key = WorkerKey(attempt.id, rank)
        return cluster.logs(key, offset=offsets.get(rank, 0), limit=limit, within_s=within_s)

    chunks = {rank: chunk_of(rank, 0.0) for rank in ranks}
    for rank, chunk in chunks.items():
        left_s = until_s - monotonic_s()
        if left_s <= 0:
            break
        if chunk is not None and chunk.is_behind:
            chunks[rank] = chunk_of(rank, left_s)
    entries: list[LogEntry] = []
    complete = attempt.state not in HOLDING
    for rank, chunk in chunks.items():
        if chunk is None:
            continue
        offset = offsets.get(rank, 0)
        if chunk.text or chunk.start > offset:
            entries.append(LogEntry(rank, chunk.text, max(0, chunk.start - offset)))
        offsets[rank] = max(offset, chunk.end)
        complete = complete and not chunk.is_behind and (chunk.is_complete or chunk.end == chunk.start)
    return LogPage(attempt.number, tuple(entries), LogCursor(attempt.number, offsets), complete)
