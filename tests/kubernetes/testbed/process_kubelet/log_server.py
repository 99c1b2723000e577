"""The endpoint of a kubelet from which the API server reads logs."""

import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.kubernetes.testbed.certificates import Pair
from tests.kubernetes.testbed.process_kubelet.logs import ContainerLog, Wish

Find = Callable[[str, str, str], ContainerLog | str | None]
"""Asked for namespace, pod and container: the log, a sentence why there is none yet, or None for the unknown."""

SILENCE_S = 600.0
PARTS = 4


class LogServer:
    """Serves /containerLogs/NAMESPACE/POD/CONTAINER on a free loopback port; with a certificate over TLS."""

    def __init__(self, find: Find, serving: Pair | None) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.find = find
        if serving is not None:
            self._server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._server.context.load_cert_chain(serving.certificate, serving.key)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="kubelet-logs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; readers that follow end at their next piece."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    find: Find
    context: ssl.SSLContext | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that leaves is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        """Shake hands in this connection's own thread, so that a slow one keeps nobody waiting."""
        self.request.settimeout(SILENCE_S)
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        """Let go of the connection in order."""
        super().finish()
        with suppress(OSError):
            self.request.close()

    def do_GET(self) -> None:
        """Answer a reader."""
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        if len(parts) != PARTS or parts[0] != "containerLogs":
            return self._say(404, "no such page")
        found = self.server.find(parts[1], parts[2], parts[3])
        if found is None:
            return self._say(404, f'pod "{parts[2]}" not found')
        if isinstance(found, str):
            return self._say(400, found)
        query = dict(parse_qsl(address.query))
        if query.get("previous") == "true":
            return self._say(400, f'previous terminated container "{parts[3]}" in pod "{parts[2]}" not found')
        return self._stream(found, Wish.of(query))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Print nothing."""

    def _stream(self, log: ContainerLog, wish: Wish) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in log.read(wish):
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _say(self, status: int, text: str) -> None:
        answer = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
