"""What anybody can do to a real server before showing a token: little, and not for long."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from api.web import bounded_http
from api.web.bounded_http import MOST_HEAD_BYTES, MOST_HEADERS, MOST_PIPELINED
from tests.builders.api import ApiWorld, serve

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\n"
ANSWER_WITHIN_S = 20


@pytest.fixture(autouse=True)
def _short_lingering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "LINGER_S", 0.2)


@pytest.fixture
def address(world: ApiWorld) -> Iterator[str]:
    with serve(world.app) as served:
        yield served


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    host = urlsplit(address)
    with socket.create_connection((host.hostname, host.port), timeout=ANSWER_WITHIN_S) as connection:
        yield connection


def read_to_the_end(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes; raises TimeoutError where it does not."""
    found = b""
    while piece := connection.recv(65_536):
        found += piece
    return found


def problem_of(answer: bytes) -> tuple[int, str]:
    """Return status and code of an answer that is a problem document and closes the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().splitlines()
    problem = json.loads(body)
    assert "content-type: application/problem+json" in lines
    assert "connection: close" in lines
    assert f"content-length: {len(body)}" in lines
    assert f"x-request-id: {problem['request_id']}" in lines
    assert problem["status"] == int(lines[0].split()[1])
    return problem["status"], problem["code"]


def is_dropped(connection: socket.socket) -> bool:
    """Say whether the server ends a connection without a word."""
    try:
        return not read_to_the_end(connection)
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "head",
    [
        GET + b"".join(b"X-%d: a\r\n" % number for number in range(MOST_HEADERS)) + b"\r\n",
        GET + b"".join(b"X-%d: a\r\n" % number for number in range(1000)),
        GET + b"X: " + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n",
        GET + b"X: " + b"a" * MOST_HEAD_BYTES,
        GET + b"a" * (MOST_HEAD_BYTES + 1),
        b"GET /" + b"a" * MOST_HEAD_BYTES,
        b"GET /?" + b"a" * MOST_HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_a_head_over_the_bounds_is_refused_as_soon_as_it_is(address: str, head: bytes) -> None:
    with connected(address) as connection:
        connection.sendall(head)
        assert problem_of(read_to_the_end(connection)) == (431, "headers-too-large")


@pytest.mark.parametrize("in_pieces", [False, True], ids=["at once", "in pieces"])
def test_a_head_at_the_bounds_is_served(address: str, in_pieces: bool) -> None:  # noqa: FBT001 - a parameter of the test
    fill = [b"X-%d: a\r\n" % number for number in range(MOST_HEADERS - 3)]
    head = GET + b"Connection: close\r\n" + b"".join(fill)
    room = MOST_HEAD_BYTES - len(head) - len(b"Y: \r\n\r\n")
    head += b"Y: " + b"a" * room + b"\r\n\r\n"
    with connected(address) as connection:
        for piece in (head[:30_000], head[30_000:]) if in_pieces else (head,):
            connection.sendall(piece)
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "end",
    [b"".join(b"X-%d: a\r\n" % number for number in range(MOST_HEADERS)), b"X: " + b"a" * (10 * MOST_HEAD_BYTES)],
    ids=["many", "long"],
)
def test_trailers_count_like_headers(address: str, end: bytes) -> None:
    with connected(address) as connection:
        connection.sendall(GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + end)
        answer = read_to_the_end(connection)
    assert problem_of(answer[answer.rindex(b"HTTP/1.1 ") :]) == (431, "headers-too-large")


@pytest.mark.parametrize(
    "nonsense",
    [b"\x16\x03\x01\x02\x00\x01\x00", b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n"],
    ids=["tls", "words", "version", "nul"],
)
def test_what_is_not_http_is_a_problem_too(address: str, nonsense: bytes) -> None:
    with connected(address) as connection:
        connection.sendall(nonsense)
        assert problem_of(read_to_the_end(connection)) == (400, "bad-request")


@pytest.mark.parametrize("beginning", [b"G", GET, GET + b"X: "])
def test_a_head_that_does_not_end_in_time_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(bounded_http, "LONGEST_SILENCE_S", 0.1)
    with connected(address) as connection:
        connection.sendall(beginning)
        assert problem_of(read_to_the_end(connection)) == (408, "headers-too-slow")


def test_a_head_that_drips_is_refused_in_the_same_time(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "LONGEST_SILENCE_S", 0.3)
    began_s = time.monotonic()
    with connected(address) as connection:
        connection.settimeout(0.05)
        answer = b""
        connection.sendall(GET + b"X: ")
        while not answer and time.monotonic() - began_s < ANSWER_WITHIN_S:
            connection.sendall(b"a")
            try:
                answer = connection.recv(65_536)
            except TimeoutError:
                continue
    assert problem_of(answer) == (408, "headers-too-slow")


@pytest.mark.parametrize("said", [b"", b"\r\n", GET + b"\r\n", GET + b"\r\n\r\n"])
def test_a_connection_on_which_nothing_happens_is_closed(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr("tests.builders.api.LONGEST_IDLE_S", 0.1)
    monkeypatch.setattr(bounded_http, "LONGEST_SILENCE_S", 0.1)
    with serve(world.app) as address, connected(address) as connection:
        connection.sendall(said)
        assert read_to_the_end(connection).count(b"HTTP/1.1 200") == said.count(b"GET")


def test_an_answered_client_that_does_not_send_its_body_is_closed(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "LONGEST_SILENCE_S", 0.1)
    with connected(address) as connection:
        connection.sendall(POST + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        answer = read_to_the_end(connection)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_an_answered_client_that_sends_its_body_late_and_nothing_more_is_closed(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.builders.api.LONGEST_IDLE_S", 0.2)
    with serve(world.app) as address, connected(address) as connection:
        connection.sendall(POST + b"Content-Type: application/json\r\nContent-Length: 5\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")
        connection.sendall(b"{}   ")
        read_to_the_end(connection)


def test_a_client_in_the_middle_of_its_next_request_still_gets_a_slow_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "LONGEST_SILENCE_S", 0.05)

    is_ready = threading.Event()

    async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.to_thread(is_ready.wait, ANSWER_WITHIN_S)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with serve(slow) as address, connected(address) as connection:
        connection.sendall(GET + b"\r\n" + GET)
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        is_ready.set()
        connection.settimeout(ANSWER_WITHIN_S)
        answer = read_to_the_end(connection)
    first, _, second = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 204 ")
    assert problem_of(second) == (408, "headers-too-slow")


def test_requests_in_advance_are_served_in_order_up_to_a_bound(address: str) -> None:
    last = GET + b"Connection: close\r\n\r\n"
    with connected(address) as connection:
        connection.sendall((GET + b"\r\n") * MOST_PIPELINED + last)
        assert read_to_the_end(connection).count(b"HTTP/1.1 200 OK") == MOST_PIPELINED + 1
    with connected(address) as connection:
        connection.sendall((GET + b"\r\n") * 1000)
        answer = read_to_the_end(connection)
    assert answer.count(b"HTTP/1.1 400 ") == 1
    assert answer.count(b"HTTP/1.1 ") <= MOST_PIPELINED + 2


def test_clients_over_the_bound_are_told_to_come_back_and_more_are_dropped(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "MOST_CONNECTIONS", 1)
    monkeypatch.setattr(bounded_http, "MOST_SURPLUS_CONNECTIONS", 1)
    with connected(address) as first, connected(address) as second, connected(address) as third:
        first.sendall(GET)  # it stays open
        second.sendall(GET + b"\r\n")
        answer = read_to_the_end(second)
        assert problem_of(answer) == (503, "too-many-connections")
        assert b"retry-after: 1\r\n" in answer.lower()
        assert is_dropped(third)


def test_a_client_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "LONGEST_UNREAD_S", 0.2)
    lost = threading.Event()

    async def large(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 50_000_000, "more_body": True})
        await receive()
        while (await receive())["type"] != "http.disconnect":
            pass
        lost.set()

    with serve(large) as address, connected(address) as connection:
        connection.sendall(GET + b"\r\n")
        assert lost.wait(ANSWER_WITHIN_S)


def test_an_offer_to_speak_another_protocol_is_left_alone(address: str) -> None:
    offer = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with connected(address) as connection:
        connection.sendall(GET + offer)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")
