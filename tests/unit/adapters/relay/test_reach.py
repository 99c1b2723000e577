"""Whether the API that workers call is there, asked over real sockets."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from scheduler.adapters.relay import reach
from scheduler.adapters.relay.reach import ApiReach


@contextmanager
def answering(status: int, port: int = 0) -> Iterator[int]:
    """Answer every request for readiness with a status; gives the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/medley/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_an_api_that_goes_and_comes_back_is_told_once_each_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with answering(200) as port:
        api = ApiReach(f"http://127.0.0.1:{port}/medley/")
        assert api.is_there()
        assert not caplog.messages
    assert [api.is_there() for _ in range(3)] == [False] * 3
    with answering(503, port):
        assert not api.is_there()
    with answering(200, port):
        assert [api.is_there() for _ in range(2)] == [True] * 2
    gone, back = caplog.messages
    assert "does not answer" in gone
    assert "is there again" in back


def test_an_api_that_is_not_ready_hears_nobody() -> None:
    with answering(503) as port:
        assert not ApiReach(f"http://127.0.0.1:{port}/medley").is_there()


def test_an_api_that_hangs_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "WITHIN_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not ApiReach(f"http://127.0.0.1:{silent.getsockname()[1]}").is_there()
