"""Telling what is new in a log that is fetched again: by the timestamps that the kubelet puts before every line."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

_STAMP = re.compile(
    rb"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_LONGEST_STAMP = 40
_NS_PER_S = 1_000_000_000
_LONGEST_COMPLAINT = 300
_WHOLE_LINE = 1 << 62


@dataclass(slots=True)
class Position:
    """How far a log was taken. The line it ends with may not have been whole yet."""

    time_ns: int = -1
    """The last line's, since 1970; -1: nothing was taken."""
    lines: int = 0
    """So many lines of this very time were begun."""
    line_bytes: int = 0
    """So much of the last one was taken."""
    is_open: bool = False
    """The last line's end was not seen."""

    @property
    def since(self) -> str | None:
        """What to ask the API for as `sinceTime`, which knows whole seconds only; None: for everything."""
        if self.time_ns < 0:
            return None
        return datetime.fromtimestamp(self.time_ns // _NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Lines:
    """Takes the pieces of one answer, and gives back what the worker printed and was not taken before.

    `position` moves along. The answer may begin earlier than where the position is, but not later.
    """

    def __init__(self, position: Position) -> None:
        self.position = position
        self.complaint = ""
        """What came without a timestamp: the kubelet's own words, instead of the log."""
        self._met = replace(position)
        self._is_catching_up = position.time_ns >= 0
        self._lines_again = 0
        self._begun = b""
        """A timestamp that is not whole yet."""
        self._is_in_line = False
        self._skip = 0
        """So much of this line is known already."""
        self._seconds: dict[tuple[bytes, bytes], int] = {}

    def take(self, piece: bytes) -> bytes:
        """Return what is new in the next piece."""
        data = self._begun + piece
        self._begun = b""
        new = []
        at = 0
        while at < len(data):
            if not self._is_in_line:
                body = self._begin_line(data, at)
                if body is None:
                    self._begun = data[at:]
                    break
                at = body
            newline = data.find(b"\n", at)
            stop = len(data) if newline < 0 else newline + 1
            new.append(self._new_part(data[at:stop]))
            at = stop
            if newline >= 0:
                self._end_line()
        return b"".join(new)

    def _begin_line(self, data: bytes, at: int) -> int | None:
        """Read a timestamp; return where the line's own text begins, None where more has to come first."""
        space = data.find(b" ", at, at + _LONGEST_STAMP)
        if space < 0 and len(data) - at < _LONGEST_STAMP and data.find(b"\n", at) < 0:
            return None
        time_ns = self._time_ns(data[at:space]) if space >= 0 else None
        self._is_in_line = True
        if time_ns is None:
            rest = data[at : at + _LONGEST_COMPLAINT].partition(b"\n")[0]
            self.complaint = rest.decode(errors="replace")
            self._skip = _WHOLE_LINE
            return at
        known = self._known_bytes(time_ns)
        if known is None:
            self._move(time_ns)
        self._skip = known or 0
        return space + 1

    def _known_bytes(self, time_ns: int) -> int | None:
        """Return how much of a line is known; None: it is a new one."""
        if not self._is_catching_up:
            return None
        met = self._met
        if time_ns < met.time_ns:
            return _WHOLE_LINE
        if time_ns == met.time_ns:
            self._lines_again += 1
            if self._lines_again < met.lines or (self._lines_again == met.lines and not met.is_open):
                return _WHOLE_LINE
            if self._lines_again == met.lines:
                self._is_catching_up = False
                return met.line_bytes
        self._is_catching_up = False
        return None

    def _move(self, time_ns: int) -> None:
        position = self.position
        position.lines = position.lines + 1 if time_ns == position.time_ns else 1
        position.time_ns = time_ns
        position.line_bytes = 0
        position.is_open = True

    def _new_part(self, text: bytes) -> bytes:
        if self._skip:
            known = min(self._skip, len(text))
            self._skip -= known
            text = text[known:]
        self.position.line_bytes += len(text)
        return text

    def _end_line(self) -> None:
        self._is_in_line = False
        if not self._skip:
            self.position.is_open = False

    def _time_ns(self, stamp: bytes) -> int | None:
        match = _STAMP.fullmatch(stamp)
        if match is None:
            return None
        second, fraction, zone = match.groups()
        key = (second, zone)
        if key not in self._seconds:
            try:
                moment = datetime.fromisoformat((second + zone).decode())
            except ValueError:
                return None
            self._seconds = {key: int(moment.timestamp())}  # the next lines are most often of the same second
        return self._seconds[key] * _NS_PER_S + int((fraction or b"0").ljust(9, b"0"))
