import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scheduler.adapters.local.serving.ports import LOOPBACK
from scheduler.adapters.local.serving.probing import PATIENCE, Door, Prober, answers
from scheduler.core.model.identifiers import WorkerKey
from tests.builders.eventually import eventually

KEY = WorkerKey("job1-g0-a1", 0)


class Server:
    """Answers every request with the same bytes, and counts them."""

    def __init__(self, listener: socket.socket, answer: bytes) -> None:
        self.door = Door(int(listener.getsockname()[1]), "/ready?deep=1")
        self.answer = answer
        self.asked: list[bytes] = []
        self._listener = listener

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(4096))
                connection.sendall(self.answer)


@contextmanager
def server(answer: bytes) -> Iterator[Server]:
    with socket.create_server((LOOPBACK, 0)) as listener:
        made = Server(listener, answer)
        thread = threading.Thread(target=made.run, daemon=True)
        thread.start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("answer", "is_ready"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.0 399 Odd\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", False),
        (b"hello\r\n", False),
        (b"HTTP/1.1 2\xb20 OK\r\n\r\n", False),
        (b"", False),
        (b"HTTP/1.1 200" * 1000, False),
    ],
)
def test_who_answers_with_200_to_399_is_ready(answer: bytes, is_ready: bool) -> None:  # noqa: FBT001 - what is expected
    with server(answer) as made:
        assert answers(made.door, within_s=60) is is_ready
        assert made.asked[0].startswith(b"GET /ready?deep=1 HTTP/1.1\r\n")


def test_where_nobody_listens_nobody_is_ready() -> None:
    with socket.socket() as bound:
        bound.bind((LOOPBACK, 0))
        assert not answers(Door(int(bound.getsockname()[1]), "/"), within_s=60)


def test_who_says_nothing_is_not_waited_for() -> None:
    with socket.create_server((LOOPBACK, 0)) as silent:
        assert not answers(Door(int(silent.getsockname()[1]), "/"), within_s=0.05)


def test_a_ready_server_is_unready_only_after_several_bad_answers() -> None:
    changed = threading.Event()
    with server(b"HTTP/1.1 200 OK\r\n\r\n") as made:
        prober = Prober(changed.set)
        assert prober.is_ready(KEY, made.door)
        made.answer = b"HTTP/1.1 500 Broken\r\n\r\n"
        before = len(made.asked)
        eventually(changed.is_set, within_s=30, what="it is told that the server is not ready")
        assert not prober.is_ready(KEY, made.door)
        assert len(made.asked) - before >= PATIENCE
        made.answer = b"HTTP/1.1 200 OK\r\n\r\n"
        eventually(lambda: prober.is_ready(KEY, made.door), within_s=30, what="it is ready again")
        prober.close()


def test_who_is_not_kept_is_asked_no_more() -> None:
    with server(b"HTTP/1.1 500 Broken\r\n\r\n") as made:
        prober = Prober(lambda: None)
        assert not prober.is_ready(KEY, made.door)
        prober.keep([])
        made.answer = b"HTTP/1.1 200 OK\r\n\r\n"
        assert prober.is_ready(KEY, made.door)  # it was forgotten, and is asked at once
        prober.close()
