import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scheduler.adapters.kubernetes.transport import (
    ApiFault,
    Credentials,
    Garbled,
    Timing,
    Transport,
    Unreachable,
    calls,
    sessions,
    streams,
)
from tests.builders.eventually import eventually
from tests.unit.adapters.kubernetes.stand_in import Answering, Asked, kubeconfig, serving

PODS = "/api/v1/pods"


def transport_to(path: Path, **options: object) -> Transport:
    return Transport(Credentials(path), **options)  # type: ignore[arg-type]


def echo(answering: Answering, asked: Asked) -> None:
    answering.json({"method": asked.method, "path": asked.path, "query": asked.query, "body": asked.body.decode()})


def refuse(status: int, **document: object) -> object:
    def answer(answering: Answering, asked: Asked) -> None:
        answering.json({"kind": "Status", "status": "Failure", "code": status, **document}, status=status)

    return answer


def test_documents_go_out_and_come_back_plain(tmp_path: Path) -> None:
    with serving(echo) as stand_in:
        transport = transport_to(kubeconfig(tmp_path, stand_in.url + "/clusters/a/"))
        answer = transport.request(
            "PATCH", PODS, query={"a": "b c&d"}, body={"n": "é"}, content_type="application/merge-patch+json"
        )
    assert answer == {
        "method": "PATCH",
        "path": "/clusters/a/api/v1/pods",
        "query": {"a": "b c&d"},
        "body": '{"n":"é"}',
    }
    (asked,) = stand_in.asked
    assert asked.headers["Authorization"] == "Bearer first"
    assert asked.headers["Content-Type"] == "application/merge-patch+json"


def test_connections_are_used_again(tmp_path: Path) -> None:
    peers = set()

    def answer(answering: Answering, asked: Asked) -> None:
        peers.add(answering.client_address)
        answering.json({})

    with serving(answer) as stand_in:
        transport = transport_to(kubeconfig(tmp_path, stand_in.url))
        for _ in range(5):
            transport.request("GET", PODS)
    assert len(peers) == 1


def test_a_refusal_says_what_the_server_said(tmp_path: Path) -> None:
    said = 'pods is forbidden: User "x" cannot list resource "pods"'
    with (
        serving(refuse(403, reason="Forbidden", message=said, details={"kind": "pods"})) as stand_in,  # type: ignore[arg-type]
        pytest.raises(ApiFault) as caught,
    ):
        transport_to(kubeconfig(tmp_path, stand_in.url)).request("GET", PODS)
    fault = caught.value
    assert (fault.status, fault.reason, fault.message, fault.details) == (403, "Forbidden", said, {"kind": "pods"})
    assert not fault.is_retryable
    assert str(fault) == f"GET {PODS}: 403 Forbidden: {said}; let an administrator grant this permission"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_overload_and_faults_of_the_server_are_retryable(status: int) -> None:
    assert ApiFault(status).is_retryable


def test_a_refusal_that_is_no_document_is_quoted(tmp_path: Path) -> None:
    with (
        serving(lambda answering, _: answering.content(b"<p>bad\n gateway", status=502)) as stand_in,
        pytest.raises(ApiFault, match="502: <p>bad gateway"),
    ):
        transport_to(kubeconfig(tmp_path, stand_in.url)).request("GET", PODS)


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    with (
        serving(refuse(500)) as stand_in,  # type: ignore[arg-type]
        pytest.raises(ApiFault),
    ):
        transport_to(kubeconfig(tmp_path, stand_in.url)).request("POST", PODS, body={})
    with serving(lambda answering, _: answering.cut()) as cutting, pytest.raises(Unreachable, match="broke"):
        transport_to(kubeconfig(tmp_path, cutting.url)).request("POST", PODS, body={})
    assert (len(stand_in.asked), len(cutting.asked)) == (1, 1)


def test_a_server_that_says_nothing_is_given_up_in_time(tmp_path: Path) -> None:
    with serving(lambda answering, _: answering.wait()) as stand_in:
        began_s = time.monotonic()
        with pytest.raises(Unreachable, match="did not answer in time"):
            transport_to(kubeconfig(tmp_path, stand_in.url)).request("GET", PODS, timeout_s=0.2)
    assert time.monotonic() - began_s < 2


def test_a_server_that_drips_is_given_up_in_time(tmp_path: Path) -> None:
    def drip(answering: Answering, asked: Asked) -> None:
        answering.begin()
        while not answering.stand_in.over.wait(0.02):
            answering.piece(b" ")

    with serving(drip) as stand_in, pytest.raises(Unreachable, match="did not answer in time"):
        transport_to(kubeconfig(tmp_path, stand_in.url)).request("GET", PODS, timeout_s=0.3)


def test_an_answer_cut_short_is_no_answer(tmp_path: Path) -> None:
    def cut(answering: Answering, asked: Asked) -> None:
        answering.send_response(200)
        answering.send_header("Content-Length", "100")
        answering.end_headers()
        answering.wfile.write(b"{}")
        answering.cut()

    with serving(cut) as stand_in, pytest.raises(Unreachable, match="broke"):
        transport_to(kubeconfig(tmp_path, stand_in.url)).request("GET", PODS)


def test_answers_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "LARGEST_ANSWER_BYTES", 1000)
    with serving(lambda answering, _: answering.json("x" * 1000)) as stand_in:
        transport = transport_to(kubeconfig(tmp_path, stand_in.url))
        with pytest.raises(Garbled, match="longer than 1,000 bytes"):
            transport.request("GET", PODS)
        assert transport.text("/log", limit_bytes=10) == b'"xxxxxxxxx'


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"", b"[" * 100_000])
def test_what_is_no_document_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    with (
        serving(lambda answering, _: answering.content(content)) as stand_in,
        pytest.raises(Garbled, match="is the address in"),
    ):
        transport_to(kubeconfig(tmp_path, stand_in.url)).request("GET", PODS)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with (
        serving(lambda answering, _: answering.content(b"", status=302, headers={"Location": "/login"})) as stand_in,
        pytest.raises(Garbled, match="redirects"),
    ):
        transport_to(kubeconfig(tmp_path, stand_in.url)).request("GET", PODS)
    assert len(stand_in.asked) == 1


def test_no_more_requests_than_allowed_are_under_way_at_once(tmp_path: Path) -> None:
    under_way, most = [], []
    go = threading.Event()

    def answer(answering: Answering, asked: Asked) -> None:
        under_way.append(asked)
        most.append(len(under_way))
        go.wait(10)
        under_way.pop()
        answering.json({})

    with serving(answer) as stand_in, ThreadPoolExecutor(8) as pool:
        transport = transport_to(kubeconfig(tmp_path, stand_in.url), requests_at_once=3)
        calls_made = [pool.submit(transport.request, "GET", PODS) for _ in range(8)]
        eventually(lambda: len(under_way) == 3, within_s=60)
        with pytest.raises(Unreachable, match="3 requests are under way"):
            transport.request("GET", PODS, timeout_s=0.1)
        go.set()
        for call in calls_made:
            call.result(10)
    assert max(most) == 3


class Minute:
    """Time that passes only while somebody pauses."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.pauses: list[float] = []

    def pause(self, closing: threading.Event, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.now_s += seconds
        return closing.is_set()

    @property
    def timing(self) -> Timing:
        return Timing(monotonic_s=lambda: self.now_s, random=lambda: 0.5, pause=self.pause)


@pytest.mark.parametrize(("told", "held_s"), [({"Retry-After": "4"}, 4.5), ({}, 1.125), ({"Retry-After": "900"}, 60.0)])
def test_after_a_429_everybody_waits(tmp_path: Path, told: dict[str, str], held_s: float) -> None:
    minute = Minute()
    answers = [429, 200, 200]

    def answer(answering: Answering, asked: Asked) -> None:
        status = answers.pop(0)
        answering.json({"status": "Failure"}, status=status, headers=told if status == 429 else {})

    with serving(answer) as stand_in:
        transport = transport_to(kubeconfig(tmp_path, stand_in.url), timing=minute.timing)
        with pytest.raises(ApiFault) as caught:
            transport.request("GET", PODS)
        assert caught.value.status == 429
        transport.request("GET", PODS, timeout_s=100)
        transport.request("GET", PODS, timeout_s=100)
    assert minute.pauses == [pytest.approx(held_s, abs=0.2)]
    assert minute.pauses[0] >= held_s


def test_who_cannot_wait_for_the_end_of_a_429_is_told_at_once(tmp_path: Path) -> None:
    with serving(lambda answering, _: answering.json({"details": {"retryAfterSeconds": 20}}, status=429)) as stand_in:
        transport = transport_to(kubeconfig(tmp_path, stand_in.url))
        for ask in (
            lambda: transport.request("GET", PODS),
            lambda: transport.request("GET", PODS),
            lambda: transport.stream(PODS, silence_s=1),
        ):
            with pytest.raises(ApiFault) as caught:
                ask()
            assert caught.value.status == 429
            assert 19 <= (caught.value.retry_after_s or 0) <= 26
    assert len(stand_in.asked) == 1


def test_a_stream_brings_its_lines_as_they_come(tmp_path: Path) -> None:
    go = threading.Event()

    def answer(answering: Answering, asked: Asked) -> None:
        answering.begin()
        answering.piece(b"one\ntw")
        go.wait(10)
        answering.piece(b"o\n\nthree")
        answering.end()

    with serving(answer) as stand_in:
        lines = iter(transport_to(kubeconfig(tmp_path, stand_in.url)).stream(PODS, silence_s=10))
        assert next(lines) == b"one"
        go.set()
        assert list(lines) == [b"two", b"", b"three"]


def test_a_silent_stream_is_given_up(tmp_path: Path) -> None:
    def answer(answering: Answering, asked: Asked) -> None:
        answering.begin()
        answering.piece(b"one\n")
        answering.wait()

    with serving(answer) as stand_in:
        stream = transport_to(kubeconfig(tmp_path, stand_in.url)).stream(PODS, silence_s=0.2)
        lines = iter(stream)
        assert next(lines) == b"one"
        with pytest.raises(Unreachable, match="did not answer in time"):
            next(lines)


def test_a_stream_that_never_completes_a_line_is_given_up(tmp_path: Path) -> None:
    def drip(answering: Answering, asked: Asked) -> None:
        answering.begin()
        while not answering.stand_in.over.wait(0.02):
            answering.piece(b" ")

    with serving(drip) as stand_in, pytest.raises(Unreachable, match="no complete line"):
        list(transport_to(kubeconfig(tmp_path, stand_in.url)).stream(PODS, silence_s=0.2))


def test_a_stream_cut_in_the_middle_says_so(tmp_path: Path) -> None:
    def answer(answering: Answering, asked: Asked) -> None:
        answering.begin()
        answering.piece(b"one\ntw")
        answering.cut()

    with serving(answer) as stand_in:
        lines = iter(transport_to(kubeconfig(tmp_path, stand_in.url)).stream(PODS, silence_s=10))
        assert next(lines) == b"one"
        with pytest.raises(Unreachable, match="broke"):
            next(lines)


def test_a_line_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST_LINE_BYTES", 100_000)

    def answer(answering: Answering, asked: Asked) -> None:
        answering.begin()
        for _ in range(4):
            answering.piece(b"x" * 50_000)
        answering.wait()

    with serving(answer) as stand_in, pytest.raises(Garbled, match="100,000 bytes"):
        list(transport_to(kubeconfig(tmp_path, stand_in.url)).stream(PODS, silence_s=10))


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_closing_wakes_whoever_reads_a_stream(tmp_path: Path, *, is_encrypted: bool) -> None:
    def answer(answering: Answering, asked: Asked) -> None:
        answering.begin()
        answering.piece(b"one\n")
        answering.wait()

    with serving(answer, folder=tmp_path if is_encrypted else None) as stand_in, ThreadPoolExecutor(1) as pool:
        path = kubeconfig(tmp_path, stand_in.url, cluster={"insecure-skip-tls-verify": True})
        transport = transport_to(path)
        lines = iter(transport.stream(PODS, silence_s=30))
        assert next(lines) == b"one"
        rest = pool.submit(list, lines)
        transport.close()
        assert rest.result(2) == []
        with pytest.raises(Unreachable, match="being closed"):
            transport.request("GET", PODS)


def test_a_stream_that_nobody_read_can_be_closed(tmp_path: Path) -> None:
    def answer(answering: Answering, asked: Asked) -> None:
        answering.begin()
        answering.wait()

    with serving(answer) as stand_in:
        stream = transport_to(kubeconfig(tmp_path, stand_in.url)).stream(PODS, silence_s=30)
        stream.close()
        stream.close()
        assert list(stream) == []


def test_new_credentials_are_used_as_soon_as_the_old_are_refused(tmp_path: Path) -> None:
    def answer(answering: Answering, asked: Asked) -> None:
        is_right = asked.headers["Authorization"] == "Bearer second"
        answering.json({}, status=200 if is_right else 401)

    with serving(answer) as stand_in:
        path = kubeconfig(tmp_path, stand_in.url)
        transport = transport_to(path)
        with pytest.raises(ApiFault, match="renew them"):
            transport.request("GET", PODS)
        kubeconfig(tmp_path, stand_in.url, user={"token": "second"})
        with pytest.raises(ApiFault, match="401"):  # they were loaded anew a moment ago
            transport.request("GET", PODS)
        transport = transport_to(kubeconfig(tmp_path, stand_in.url))
        transport._sessions.current(time.monotonic() + 5)
        kubeconfig(tmp_path, stand_in.url, user={"token": "second"})
        assert transport.request("GET", PODS) == {}


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    minute = Minute()
    with serving(echo) as stand_in:
        transport = transport_to(kubeconfig(tmp_path, stand_in.url), timing=minute.timing)
        transport.request("GET", PODS)
        path = kubeconfig(tmp_path, stand_in.url, user={"token": "second, longer"})
        minute.now_s += sessions.LOOK_S
        transport.request("GET", PODS)
        path.write_text("broken: [")
        minute.now_s += sessions.LOOK_S
        transport.request("GET", PODS)
    seen = [asked.headers["Authorization"] for asked in stand_in.asked]
    assert seen == ["Bearer first", "Bearer second, longer", "Bearer second, longer"]


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    path = kubeconfig(tmp_path, f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable, match=rf"127.0.0.1:{port} cannot be reached \(Connection refused\)"):
        transport_to(path).request("GET", PODS)


def test_a_name_that_nobody_knows_is_named(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "http://nobody.invalid:6443")
    with pytest.raises(Unreachable, match=r"the name of http://nobody.invalid:6443 is not known here"):
        transport_to(path).request("GET", PODS)


def test_making_a_transport_never_fails(tmp_path: Path) -> None:
    transport = transport_to(tmp_path / "none")
    with pytest.raises(Unreachable, match="cannot be read: No such file or directory; check the path"):
        transport.request("GET", PODS)
    with serving(echo) as stand_in:
        transport = transport_to(tmp_path / "config")
        with pytest.raises(Unreachable):
            transport.request("GET", PODS)
        kubeconfig(tmp_path, stand_in.url)
        answer = eventually(lambda: _tried(transport), within_s=60)
    assert answer["path"] == PODS


def _tried(transport: Transport) -> dict[str, object] | None:
    try:
        return transport.request("GET", PODS)
    except Unreachable:
        return None
