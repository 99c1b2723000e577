"""The HTTP side: connections, chunks, and what faults do to them."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from tests.kubernetes.fake_api.answers import Refusal
from tests.kubernetes.fake_api.faults import LONGEST_HANG_S, Fault, Faults
from tests.kubernetes.fake_api.routes import Answer, Request, Routes, refused
from tests.kubernetes.fake_api.watching import Broken

HALF_A_LINE = b'{"type":"MODIFIED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"na'
TOO_MANY = "too many requests, please try again later"


class Listener(ThreadingHTTPServer):
    """The listening socket with all its connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, routes: Routes, faults: Faults, note: Callable[[Request], None]) -> None:
        """Listen on a port of loopback, a free one for 0."""
        self.routes, self.faults, self.note = routes, faults, note
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), Connection)

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS; each connection shakes hands in its own thread."""
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def start(self) -> None:
        """Answer from now on."""
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="fake-api", daemon=True).start()

    def stop(self) -> None:
        """Stop listening and break all connections."""
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            broken(connection)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection in its own thread, and know of it meanwhile."""
        with self._lock:
            self._connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._connections.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client go that went first, without a word on standard error."""


class Connection(BaseHTTPRequestHandler):
    """One connection: its requests, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 256 * 1024
    server: Listener

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the standard library's
        """Print nothing."""

    def answer_any(self) -> None:
        """Answer one request of any method."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(self.command, self.path, headers, body)
        self.server.note(request)
        fault = self.server.faults.take(request.method, request.target)
        if fault is None or not self._suffer(fault, request):
            self._send(self.server.routes.answer(request))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer_any  # noqa: N815  # the library's names

    def _suffer(self, fault: Fault, request: Request) -> bool:
        """Let a fault happen, and say whether it has taken the place of the answer."""
        if fault.delay_s:
            self.server.faults.wait(fault.delay_s)
        if fault.is_done_first:
            self.server.routes.answer(request)
        if fault.hangs:
            self.server.faults.wait(LONGEST_HANG_S)
        if fault.hangs or fault.drops:
            self._break()
            return True
        if fault.body is not None:
            self._send(Answer(fault.code or 200, fault.body))
            return True
        if fault.code is None:
            return False
        message = TOO_MANY if fault.code == 429 else "the server is not able to answer"
        self._send(refused(Refusal(fault.code, message, retry_after_s=fault.retry_after_s)))
        return True

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.stream is not None:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.flush()
            self._stream(answer.stream)
            return
        if answer.code != 204:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def _stream(self, pieces: Iterator[bytes]) -> None:
        try:
            for piece in pieces:
                self._chunk(piece)
            self._chunk(b"")
        except Broken:
            self._chunk(HALF_A_LINE)
            self._break()
        except OSError:
            self._break()
        finally:
            with suppress(AttributeError):
                pieces.close()  # type: ignore[attr-defined]  # a generator: lets the watch be forgotten at once

    def _chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()

    def _break(self) -> None:
        self.close_connection = True
        broken(self.connection)


def broken(connection: socket.socket) -> None:
    """Cut a connection, whatever state it is in."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
