"""HTTP/1.1 with bounds on what a client may send, hold open or leave unread before anybody knows who it is."""

import asyncio
import uuid
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any, NoReturn

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from api.problems import Code, Problem, unavailable
from api.web.frame import ANSWER_HEADERS, REQUEST_ID_HEADER

MOST_HEAD_BYTES = 64 * 1024
"""Of address and headers together; trailers count as headers."""
MOST_HEADERS = 100
MOST_PIPELINED = 16
"""Requests of one connection that wait behind the one being answered."""
MOST_CONNECTIONS = 2000
"""Requests of a connection beyond these get a 503. A whole gang may wait for its rendezvous at the same time."""
MOST_SURPLUS_CONNECTIONS = 500
"""Connections that may wait for their 503; those beyond are dropped at once."""
LONGEST_SILENCE_S = 10.0
"""How long a client may be in the middle of a request while no answer is in the making."""
LONGEST_IDLE_S = 30
"""How long a connection may stay open between two requests, or before the first."""
LONGEST_UNREAD_S = 120.0
"""How long a client may leave unread what is more than the buffers hold."""
LINGER_S = 1.0
"""A refused client may still be sending: closed at once, it could lose the answer."""

_MALFORMED = Problem(Code.BAD_REQUEST, "It is not valid HTTP/1.1.", "see RFC 9112")
_TOO_LARGE = Problem(
    Code.HEADERS_TOO_LARGE,
    f"Address and headers may have {MOST_HEAD_BYTES} bytes in all, and {MOST_HEADERS} headers at most.",
    "send fewer or shorter headers",
)
_TOO_SLOW = Problem(Code.HEADERS_TOO_SLOW, f"They were not complete within {LONGEST_SILENCE_S:.0f} s.", "try again")
_TOO_MANY_PIPELINED = Problem(
    Code.BAD_REQUEST, f"More than {MOST_PIPELINED} requests wait on this connection.", "wait for answers"
)


class RequestRefused(Exception):
    """Ends the parsing of a request; the parser reports it to `send_400_response`."""


class _Alarm:
    """Calls something once, later, unless it is stopped before."""

    def __init__(self, loop: asyncio.AbstractEventLoop, after_s: float, call: Callable[[], object]) -> None:
        self._loop = loop
        self._after_s = after_s
        self._call = call
        self._timer: TimerHandle | None = None

    def start(self) -> None:
        """Begin to count; goes on counting where it did."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._after_s, self._ring)

    def stop(self) -> None:
        """Forget it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._call()


class BoundedHttp(HttpToolsProtocol):
    """One connection. What breaks a bound is answered with a problem document, then the connection is closed."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._problem = _MALFORMED
        self._is_refused = False
        self._is_between_requests = True
        self._has_advanced = False
        self._parsed_bytes = 0
        """Of the address and headers of this request, as far as the parser gave them out."""
        self._unparsed_bytes = 0
        """Received since the parser last completed something; a header without an end grows inside it."""
        self._silence = _Alarm(self.loop, LONGEST_SILENCE_S, self._on_silence)
        self._unread = _Alarm(self.loop, LONGEST_UNREAD_S, self._on_unread)

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin; a connection that says nothing is idle like one between two requests."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS + MOST_SURPLUS_CONNECTIONS:
            transport.abort()
            return
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and with it every timer."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._silence.stop()
        self._unread.stop()

    def data_received(self, data: bytes) -> None:
        """Parse what came; begin to count the time if it leaves a request incomplete."""
        if self._is_refused:
            return
        self._is_between_requests = False
        self._has_advanced = False
        super().data_received(data)
        if self._is_refused or self.transport.is_closing():
            return
        self._unparsed_bytes = 0 if self._has_advanced else self._unparsed_bytes + len(data)
        if self._unparsed_bytes > MOST_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
        elif self._is_between_requests:
            self._silence.stop()
            self._await_next_request()
        else:
            self._silence.start()

    def _await_next_request(self) -> None:
        """Count the idle time where a body came to its end only after its request was answered."""
        if not self._is_answering() and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self.pipeline) >= MOST_PIPELINED:
            self._stop_parsing(_TOO_MANY_PIPELINED)
        self._is_between_requests = False
        self._parsed_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._parsed_bytes += len(url)
        if self._parsed_bytes > MOST_HEAD_BYTES:
            self._stop_parsing(_TOO_LARGE)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header or trailer."""
        self._parsed_bytes += len(name) + len(value)
        if self._parsed_bytes > MOST_HEAD_BYTES or len(self.headers) >= MOST_HEADERS:
            self._stop_parsing(_TOO_LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start answering, unless more clients are connected than can be served."""
        if len(self.connections) > MOST_CONNECTIONS:
            self._stop_parsing(unavailable(Code.TOO_MANY_CONNECTIONS, "More clients are connected than are served."))
        self._has_advanced = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._has_advanced = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; the next byte begins another."""
        self._has_advanced = True
        self._is_between_requests = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's words are not for people
        """Answer what could not be parsed, or was not to be parsed any further."""
        self._refuse(self._problem)

    def on_response_complete(self) -> None:
        """Go on with the next request; a client that was told to go must also take its answer."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_if_left_unread()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection."""
        self._close()

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever."""
        super().pause_writing()
        self._abort_if_left_unread()

    def resume_writing(self) -> None:
        """Go on: the client reads again."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._unread.stop()

    def _stop_parsing(self, problem: Problem) -> NoReturn:
        self._problem = problem
        raise RequestRefused(problem.code)

    def _on_silence(self) -> None:
        if self._is_refused or self.transport.is_closing():
            return
        if self._is_answering():
            # Whoever makes the answer bounds the time: reading may be paused, and the fault would not be the client's.
            self._silence.start()
        elif self.cycle is not None and self.cycle.more_body:
            self._close()  # it was answered, and still does not send what it announced
        else:
            self._refuse(_TOO_SLOW)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, problem: Problem) -> None:
        self._is_refused = True
        self._silence.stop()
        if self._is_answering() and self.cycle.response_started:
            self._close()
            return
        self.transport.write(_answer(problem))
        if self._is_answering():
            self._close()
        else:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(LINGER_S, self._close)

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
        self._abort_if_left_unread()

    def _abort_if_left_unread(self) -> None:
        if self.transport.get_write_buffer_size():
            self._unread.start()

    def _on_unread(self) -> None:
        self.transport.abort()


def _answer(problem: Problem) -> bytes:
    request_id = uuid.uuid4().hex
    response = problem.respond(request_id)
    own = {REQUEST_ID_HEADER: request_id, **ANSWER_HEADERS, "Connection": "close"}
    headers = [*response.raw_headers, *((name.encode(), value.encode()) for name, value in own.items())]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return b"".join((STATUS_LINE[problem.status], lines, b"\r\n", bytes(response.body)))
