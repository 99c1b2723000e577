"""Connections whose answers are bounded in time as a whole: a byte now and then does not begin the time anew."""

import io
import socket
import threading
import time
import weakref
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any, ClassVar

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

BUFFER_BYTES = 64 * 1024


class _TimedFile(io.RawIOBase):
    """What a socket brings until a moment."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection
        self._file = connection.makefile("rb", buffering=0)
        self.until_s = time.monotonic() + (connection.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the answer took too long")
        self._connection.settimeout(left_s)
        count: int | None = self._file.readinto(buffer)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer whose head comes within the connection's timeout, and the rest as `allow` says."""

    def __init__(self, connection: Any, *args: Any, **options: Any) -> None:
        self._connection = connection
        self._file = _TimedFile(connection)
        super().__init__(self, *args, **options)  # type: ignore[arg-type]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Stand in for the socket while the answer is made."""
        return io.BufferedReader(self._file, BUFFER_BYTES)

    def allow(self, span_s: float) -> None:
        """Let all reading from now on take so long."""
        self._file.until_s = time.monotonic() + span_s

    def cut(self) -> None:
        """Wake whoever waits for it, with an end."""
        with suppress(OSError):
            if isinstance(self._connection, socket.socket):
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)  # TLS is not taken down under its reader
            else:
                self._connection.shutdown(socket.SHUT_RDWR)


class _Answering:
    """What our connections have in common."""

    wire: ClassVar["Wire"]
    answer: _Answer | None = None

    def response_class(self, connection: Any, *args: Any, **options: Any) -> _Answer:
        """Begin an answer; named as http.client calls it."""
        self.answer = _Answer(connection, *args, **options)
        self.wire.add(self.answer)
        return self.answer


class Wire:
    """All answers that one transport waits for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._answers: weakref.WeakSet[_Answer] = weakref.WeakSet()
        self._is_closed = False

    def lay(self, manager: PoolManager) -> PoolManager:
        """Have a manager use bounded connections, and return it."""
        plain = type("Plain", (_Answering, HTTPConnection), {"wire": self})
        encrypted = type("Encrypted", (_Answering, HTTPSConnection), {"wire": self})
        manager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("EncryptedPool", (HTTPSConnectionPool,), {"ConnectionCls": encrypted}),
        }
        return manager

    def add(self, answer: _Answer) -> None:
        """Take in an answer that is waited for."""
        with self._guard:
            self._answers.add(answer)
            is_late = self._is_closed
        if is_late:
            answer.cut()

    def close(self) -> None:
        """End all answers, also those whose head has not come; may be called again."""
        with self._guard:
            self._is_closed = True
            answers = list(self._answers)
        for answer in answers:
            answer.cut()


def allow(response: BaseHTTPResponse, span_s: float) -> None:
    """Let all reading of an answer from now on take so long, then TimeoutError is raised."""
    connection = response.connection
    if isinstance(connection, _Answering) and connection.answer is not None:
        connection.answer.allow(span_s)
