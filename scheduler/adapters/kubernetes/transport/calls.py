"""One cluster's API over HTTP."""

import json
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions

from scheduler.adapters.kubernetes.transport.backpressure import Backpressure
from scheduler.adapters.kubernetes.transport.connections import allow
from scheduler.adapters.kubernetes.transport.credentials import Credentials
from scheduler.adapters.kubernetes.transport.explaining import explain
from scheduler.adapters.kubernetes.transport.faults import ApiFault, Garbled, Unreachable, seconds
from scheduler.adapters.kubernetes.transport.sessions import Session, Sessions
from scheduler.adapters.kubernetes.transport.streams import BROKEN, Stream
from scheduler.adapters.kubernetes.transport.timing import Timing

JSON = "application/json"
LARGEST_ANSWER_BYTES = 64 * 1024 * 1024
LARGEST_REFUSAL_BYTES = 256 * 1024
PIECE_BYTES = 1024 * 1024
CONNECT_LIMIT_S = 5.0
OPENING_LIMIT_S = 15.0
LEAST_READ_S = 0.05


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str]
    body: bytes | None = None

    @property
    def asked(self) -> str:
        """The request in messages, without its query."""
        return f"{self.method} {self.target.partition('?')[0]}"


class Transport:
    """Sends requests to one API server and returns plain documents. All methods may be called by any thread.

    It is made without looking at the credentials: they are loaded at the first call, again when one of their files
    changes, and after a 401. Nothing is sent twice, with one exception: what the server refused with 401 is sent
    once more where loading the credentials brought new ones, since the server had not looked at it.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        connections: int = 24,
        requests_at_once: int = 16,
        timing: Timing | None = None,
    ) -> None:
        """Up to `connections` stay open between requests; streams do not count among `requests_at_once`."""
        self._timing = timing or Timing()
        self._source = credentials.source
        self._sessions = Sessions(credentials, connections=connections, timing=self._timing)
        self._closing = threading.Event()
        self._backpressure = Backpressure(requests_at_once, timing=self._timing, closing=self._closing)
        self._guard = threading.Lock()
        self._streams: weakref.WeakSet[Stream] = weakref.WeakSet()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout_s: float = 15.0,
    ) -> dict[str, Any]:
        """Send one request and return the answer's document, of at most 64 MiB.

        All waiting counts against `timeout_s`: for a slot, for the end of a 429, for the answer. Raises ApiFault
        where the server answers no, Unreachable where there is no answer, Garbled where it cannot be read.
        """
        headers = {"Accept": accept}
        content = None
        if body is not None:
            headers["Content-Type"] = content_type
            content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        call = _Call(method, _target(path, query), headers, content)
        answer, is_cut = self._unary(call, limit_bytes=LARGEST_ANSWER_BYTES, timeout_s=timeout_s)
        if is_cut:
            raise Garbled(f"{call.asked}: the answer is longer than {LARGEST_ANSWER_BYTES:,} bytes; ask for less")
        try:
            document = json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise Garbled(
                f"{call.asked}: no JSON came back; is the address in {self._source} an API server's?"
            ) from error
        if not isinstance(document, dict):
            raise Garbled(f"{call.asked}: no JSON object came back; is the address in {self._source} an API server's?")
        return document

    def text(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        limit_bytes: int = LARGEST_ANSWER_BYTES,
        accept: str = "*/*",
        timeout_s: float = 15.0,
    ) -> bytes:
        """Return the first `limit_bytes` of what is there as it is. Raises ApiFault or Unreachable as `request`."""
        call = _Call("GET", _target(path, query), {"Accept": accept})
        return self._unary(call, limit_bytes=limit_bytes, timeout_s=timeout_s)[0]

    def stream(
        self, path: str, *, query: Mapping[str, str] | None = None, silence_s: float, accept: str = JSON
    ) -> Stream:
        """Open an answer that comes line by line. Raises as `request` does, within 15 s, or `silence_s` if longer.

        The stream raises Unreachable once nothing has come for `silence_s`.
        """
        call = _Call("GET", _target(path, query), {"Accept": accept})
        deadline_s = self._timing.monotonic_s() + OPENING_LIMIT_S
        self._backpressure.pass_gate(deadline_s, asked=call.asked)
        response, session = self._send(call, deadline_s, silence_s=silence_s)
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._refusal(call, response, self._timing.monotonic_s() + OPENING_LIMIT_S)
        stream = Stream(
            response,
            silence_s=silence_s,
            explain=lambda error: self._explain(call, error, session),
            timing=self._timing,
        )
        with self._guard:
            self._streams.add(stream)
            is_late = self._closing.is_set()
        if is_late:
            stream.close()
        return stream

    def close(self) -> None:
        """End all streams and waiting calls, and close the connections; may be called again."""
        self._closing.set()
        with self._guard:
            streams = list(self._streams)
        for stream in streams:
            stream.close()
        self._sessions.close()

    def _unary(self, call: _Call, *, limit_bytes: int, timeout_s: float) -> tuple[bytes, bool]:
        """Return the answer's body, and whether it is longer than that."""
        deadline_s = self._timing.monotonic_s() + timeout_s
        with self._backpressure.slot(deadline_s, asked=call.asked):
            response, session = self._send(call, deadline_s)
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise self._refusal(call, response, deadline_s)
            try:
                return self._read(response, limit_bytes, deadline_s)
            except BROKEN as error:
                raise self._explain(call, error, session) from error

    def _send(
        self, call: _Call, deadline_s: float, *, silence_s: float | None = None
    ) -> tuple[urllib3.BaseHTTPResponse, Session]:
        """Send a request, after a 401 once more if the credentials have changed; return the answer's head.

        That may take until the deadline, for a stream as long as its silence after it.
        """
        if self._closing.is_set():
            raise Unreachable(f"{call.asked}: not sent, the connection to the cluster is being closed")
        session = self._sessions.current(deadline_s)
        response = self._send_once(call, session, silence_s or self._left_s(deadline_s))
        if response.status == HTTPStatus.UNAUTHORIZED:
            newer = self._sessions.renewed(session, deadline_s)
            if newer is not None:
                response.close()
                session = newer
                response = self._send_once(call, session, silence_s or self._left_s(deadline_s))
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            response.close()
            raise Garbled(
                f"{call.asked}: {session.access.server} redirects, which no API server does; "
                f"correct its address in {self._source}"
            )
        return response, session

    def _send_once(self, call: _Call, session: Session, read_s: float) -> urllib3.BaseHTTPResponse:
        try:
            return session.pool.request(
                call.method,
                session.access.server + call.target,
                body=call.body,
                headers={**session.headers, **call.headers},
                timeout=urllib3.Timeout(connect=min(CONNECT_LIMIT_S, read_s), read=read_s),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (exceptions.HTTPError, OSError, ValueError) as error:
            raise self._explain(call, error, session) from error

    def _read(self, response: urllib3.BaseHTTPResponse, limit_bytes: int, deadline_s: float) -> tuple[bytes, bool]:
        content = bytearray()  # a list of pieces would be many times as large where they are small
        allow(response, self._left_s(deadline_s))
        while piece := response.read1(PIECE_BYTES, decode_content=False):
            content += piece
            if len(content) > limit_bytes:
                response.close()  # the rest is not read, so the connection is of no more use
                return bytes(memoryview(content)[:limit_bytes]), True
        response.release_conn()
        return bytes(content), False

    def _left_s(self, deadline_s: float) -> float:
        return max(deadline_s - self._timing.monotonic_s(), LEAST_READ_S)

    def _refusal(self, call: _Call, response: urllib3.BaseHTTPResponse, deadline_s: float) -> ApiFault:
        """Return what the server's refusal says, and note it if it wants no more requests for a while."""
        try:
            content = self._read(response, LARGEST_REFUSAL_BYTES, deadline_s)[0]
        except BROKEN:
            content = b""
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            document = " ".join(content[:300].decode(errors="replace").split())
        told_s = seconds(response.headers.get("Retry-After"))
        fault = ApiFault.from_status(response.status, document, asked=call.asked, retry_after_s=told_s)
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._backpressure.hold(fault.retry_after_s)
        return fault

    def _explain(self, call: _Call, error: Exception, session: Session) -> Unreachable:
        return explain(error, server=session.access.server, source=self._source, asked=call.asked)


def _target(path: str, query: Mapping[str, str] | None) -> str:
    return f"{path}?{urlencode(query)}" if query else path
