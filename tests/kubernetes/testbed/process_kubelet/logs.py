"""What a container printed, kept and read as the kubelet does with the files of a container runtime."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

LONGEST_PIECE = 16_384
"""A runtime cuts longer lines into pieces of this size; an unfinished line is not shown before it is that long."""
KEPT_BYTES = 10 * 1024 * 1024
"""A kubelet rotates at this size and reads the newest file only."""
LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or a part of a very long one."""

    at: datetime
    text: bytes
    begins: bool
    """Whether a line begins here."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader asks for."""

    follow: bool
    timestamps: bool
    since: datetime | None
    tail: int | None
    limit: int | None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wish":
        """Read the query of the kubelet's log endpoint. Raises ValueError."""
        since = datetime.fromisoformat(query["sinceTime"]) if query.get("sinceTime") else None
        if query.get("sinceSeconds"):
            since = datetime.fromtimestamp(datetime.now(UTC).timestamp() - int(query["sinceSeconds"]), UTC)
        return cls(
            follow=query.get("follow") == "true",
            timestamps=query.get("timestamps") == "true",
            since=since,
            tail=int(query["tailLines"]) if query.get("tailLines") else None,
            limit=int(query["limitBytes"]) if query.get("limitBytes") else None,
        )


class ContainerLog:
    """The newest 10 MiB that a container printed. Safe for threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: deque[Piece] = deque()
        self._dropped = 0
        self._size = 0
        self._rest = b""
        self._begins = True
        self._is_complete = False

    def write(self, data: bytes) -> None:
        """Take what was printed."""
        with self._changed:
            *lines, rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._cut(line + b"\n")
            while len(rest) >= LONGEST_PIECE:
                self._keep(rest[:LONGEST_PIECE])
                rest = rest[LONGEST_PIECE:]
            self._rest = rest
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more is printed; an unfinished line gets its end, as a runtime gives it one."""
        with self._changed:
            if self._rest:
                self._keep(self._rest + b"\n")
            self._rest = b""
            self._is_complete = True
            self._changed.notify_all()

    def read(self, wish: Wish) -> Iterator[bytes]:
        """Yield what is asked for; a follower gets an empty piece each second in which nothing comes."""
        left = wish.limit
        for text in self._texts(wish):
            if left is None:
                yield text
                continue
            yield text[:left]
            left -= len(text)
            if left <= 0:
                return

    def _texts(self, wish: Wish) -> Iterator[bytes]:
        with self._changed:
            position = self._dropped + self._first(wish.tail)
        while True:
            with self._changed:
                found, is_complete = self._after(position), self._is_complete
                if not found and wish.follow and not is_complete:
                    self._changed.wait(LOOK_S)
                    found, is_complete = self._after(position), self._is_complete
                position = self._dropped + len(self._pieces)
            for piece in found:
                if wish.since is None or piece.at >= wish.since:
                    stamp = f"{piece.at:%Y-%m-%dT%H:%M:%S.%f}000Z ".encode()
                    yield stamp + piece.text if wish.timestamps and piece.begins else piece.text
            if not found:
                if is_complete or not wish.follow:
                    return
                yield b""

    def _after(self, position: int) -> list[Piece]:
        return list(islice(self._pieces, max(0, position - self._dropped), None))

    def _first(self, tail: int | None) -> int:
        """Return the index of the first piece of the last `tail` lines."""
        if tail is None:
            return 0
        begins = [index for index, piece in enumerate(self._pieces) if piece.begins]
        return begins[-tail] if 0 < tail <= len(begins) else (0 if tail else len(self._pieces))

    def _cut(self, line: bytes) -> None:
        while len(line) > LONGEST_PIECE + 1:
            self._keep(line[:LONGEST_PIECE])
            line = line[LONGEST_PIECE:]
        self._keep(line)

    def _keep(self, text: bytes) -> None:
        self._pieces.append(Piece(datetime.now(UTC), text, self._begins))
        self._begins = text.endswith(b"\n")
        self._size += len(text)
        while self._size > KEPT_BYTES:
            self._size -= len(self._pieces.popleft().text)
            self._dropped += 1
