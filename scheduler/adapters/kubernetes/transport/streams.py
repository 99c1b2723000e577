"""Answers without an end: watches and followed logs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from scheduler.adapters.kubernetes.transport.connections import allow
from scheduler.adapters.kubernetes.transport.faults import Garbled, Unreachable
from scheduler.adapters.kubernetes.transport.timing import Timing

PIECE_BYTES = 64 * 1024
LONGEST_LINE_BYTES = 8 * 1024 * 1024

BROKEN = (HTTPError, OSError, ValueError, AttributeError, RuntimeError)
"""What a read raises when the connection breaks or is closed beneath it; TLS sockets answer with the last three."""


class Stream:
    """The lines of one answer, for one reader. `close` may be called by any thread."""

    def __init__(
        self,
        response: BaseHTTPResponse,
        *,
        silence_s: float,
        explain: Callable[[Exception], Unreachable],
        timing: Timing,
    ) -> None:
        """`explain` turns an error of the connection into one for people."""
        self._response = response
        self._silence_s = silence_s
        self._explain = explain
        self._timing = timing
        self._guard = threading.Lock()
        self._is_closed = False
        self._is_being_read = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield line after line without its end, until the server or `close` ends the stream.

        Raises Unreachable where the connection breaks or no line is complete within `silence_s`, Garbled for a line
        of more than 8 MiB.
        """
        rest = bytearray()
        heard_s = self._timing.monotonic_s()
        for piece in self.pieces():
            now_s = self._timing.monotonic_s()
            if b"\n" in piece:
                *lines, tail = bytes(rest + piece).split(b"\n") if rest else piece.split(b"\n")
                rest = bytearray(tail)
                yield from lines
                heard_s = self._timing.monotonic_s()  # the reader's own time is no silence
            else:
                rest += piece
                if now_s - heard_s > self._silence_s:
                    self.close()
                    raise Unreachable(f"no complete line came for {self._silence_s:g} s; the stream is opened anew")
            if len(rest) > LONGEST_LINE_BYTES:
                self.close()
                raise Garbled(f"a line of more than {LONGEST_LINE_BYTES:,} bytes came; nothing of that size is read")
        if rest:
            yield bytes(rest)

    def pieces(self) -> Iterator[bytes]:
        """Yield bytes as they come, at most 64 KiB at once. Ends and raises as iteration does, but knows no lines."""
        with self._guard:
            self._is_being_read = True
        try:
            while not self._is_closed:
                try:
                    allow(self._response, self._silence_s)
                    piece = self._response.read1(PIECE_BYTES, decode_content=False)
                except BROKEN as error:
                    if self._is_closed:
                        return
                    raise self._explain(error) from error
                if not piece:
                    return
                yield piece
        finally:
            with self._guard:
                self._is_being_read = False
                self._is_closed = True
            with suppress(*BROKEN):
                self._response.close()

    def close(self) -> None:
        """End the stream: a reader that waits returns at once. May be called again."""
        with self._guard:
            if self._is_closed:
                return
            self._is_closed = True
            is_being_read = self._is_being_read
        with suppress(*BROKEN):
            self._response.shutdown()  # wakes the reader, who then closes
        if not is_being_read:
            with suppress(*BROKEN):
                self._response.close()
