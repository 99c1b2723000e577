"""A server that answers HTTP requests as a test tells it, on a free port of this machine."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.unit.adapters.kubernetes.certificates import SERVER


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


class Answering(BaseHTTPRequestHandler):
    """What a test's function gets to answer with."""

    protocol_version = "HTTP/1.1"
    stand_in: "StandIn"

    def handle_one_request(self) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            super().handle_one_request()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
        self.stand_in.asked.append(asked)
        self.stand_in.answer(self, asked)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815 - http.server names them

    def content(self, content: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def json(self, document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.content(json.dumps(document).encode(), status=status, headers=headers)

    def begin(self) -> None:
        """Begin an answer in pieces."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def piece(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def event(self, kind: str, obj: Any) -> None:
        self.piece(json.dumps({"type": kind, "object": obj}).encode() + b"\n")

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def wait(self) -> None:
        """Say nothing more until the test is over."""
        self.stand_in.over.wait(30)
        self.close_connection = True

    def cut(self) -> None:
        """Close the connection at once."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server calls it
        """Say nothing."""


@dataclass
class StandIn:
    answer: Callable[[Answering, Asked], None]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away, or that TLS turned away."""


@contextmanager
def serving(
    answer: Callable[[Answering, Asked], None], *, folder: Path | None = None, clients_of: Path | None = None
) -> Iterator[StandIn]:
    """Serve until the block ends; with a folder by TLS, with `clients_of` for clients of that authority only."""
    stand_in = StandIn(answer)
    handler = type("Handler", (Answering,), {"stand_in": stand_in})
    server = _Server(("127.0.0.1", 0), handler)
    scheme = "http"
    if folder is not None:
        scheme = "https"
        file = folder / "server.pem"
        file.write_text(SERVER)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if clients_of is not None:
            context.load_verify_locations(clients_of)
            context.verify_mode = ssl.CERT_REQUIRED
            # 1.3 refuses after the handshake, where the refusal may be lost behind the end of the connection
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    stand_in.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def kubeconfig(folder: Path, url: str, *, cluster: Mapping[str, Any] | None = None, user: Any = None) -> Path:
    """Write a kubeconfig (JSON is YAML) and return its path."""
    path = folder / "config"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url, **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": "first"} if user is None else user}],
    }
    path.write_text(json.dumps(document))
    return path
