"""What the server answers: ready or not, what it serves, and texts that go on."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any, Protocol

READY_PATH = "/ready"
GENERATE_PATH = "/generate"
MOST_AT_ONCE = 16
"""So many requests are worked on; more are refused, not queued."""
MOST_BODY_BYTES = 65_536
MOST_TOKENS = 256
LATE_S = 10.0
"""A client that says nothing for so long is let go."""


class Continues(Protocol):
    """A model that goes on with texts."""

    @property
    def weights(self) -> str:
        """Which weights it has."""
        ...

    def go_on(self, prompt: bytes, tokens: int, seed: int) -> bytes:
        """Return so many bytes that follow the prompt."""
        ...


class Answering(ThreadingHTTPServer):
    """Listens at once, and is ready once it was given a model; when it ends, what was begun is finished."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, host: str, port: int, *, facts: dict[str, Any], readiness_path: str | None) -> None:
        """`facts` are told to whoever asks for `/`. Raises OSError."""
        super().__init__((host, port), _Handler)
        self.facts = facts
        self.ready_paths = {READY_PATH, readiness_path or READY_PATH}
        self.served: Continues | None = None
        self._turns = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._idle = threading.Condition()
        self._busy = 0

    def process_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Give a connection a thread, or close it where there are too many."""
        if not self._turns.acquire(blocking=False):
            self.shutdown_request(request)
            return
        with self._idle:
            self._busy += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Serve one connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._turns.release()
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def finish(self, within_s: float) -> bool:
        """Take no more connections and wait for those there are; say whether they all came to their end."""
        self.shutdown()
        self.server_close()
        with self._idle:
            return self._idle.wait_for(lambda: self._busy == 0, timeout=within_s)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: it was the client who went."""


class _Handler(BaseHTTPRequestHandler):
    server: Answering
    timeout = LATE_S

    def do_GET(self) -> None:
        served = self.server.served
        if self.path in self.server.ready_paths:
            self._answer(200 if served else 503, {"ready": served is not None})
        elif self.path == "/":
            self._answer(200, {**self.server.facts, "weights": served.weights if served else None})
        else:
            self._answer(404, {"error": f"there is {READY_PATH}, and POST {GENERATE_PATH}"})

    def do_POST(self) -> None:
        served = self.server.served
        asked = self._body()
        if self.path != GENERATE_PATH:
            self._answer(404, {"error": f"POST goes to {GENERATE_PATH}"})
        elif served is None:
            self._answer(503, {"error": "the model is not loaded yet"})
        elif asked is None:
            wanted = f"a JSON object with a text prompt, tokens from 1 to {MOST_TOKENS} and a seed, is wanted"
            self._answer(400, {"error": wanted})
        else:
            prompt, tokens, seed = asked
            text = served.go_on(prompt.encode("utf-8", "replace"), tokens, seed).decode("utf-8", "replace")
            self._answer(200, {"text": text, "tokens": tokens, "weights": served.weights})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing: a probe comes every second."""

    def _body(self) -> tuple[str, int, int] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BODY_BYTES:
            return None
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None
        if not isinstance(body, dict):
            return None
        prompt, tokens, seed = body.get("prompt"), body.get("tokens", 32), body.get("seed", 0)
        whole = all(isinstance(number, int) and not isinstance(number, bool) for number in (tokens, seed))
        if not isinstance(prompt, str) or not whole or not 1 <= tokens <= MOST_TOKENS or not 0 <= seed < 2**63:
            return None
        return prompt, tokens, seed

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode() + b"\n"
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
