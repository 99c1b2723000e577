"""What servers and credentials may do to a thread that asks, and how soon it is free again all the same."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from scheduler.adapters.kubernetes.transport import ApiFault, Credentials, Garbled, Transport, Unreachable, sessions
from scheduler.adapters.kubernetes.transport import credentials as loading
from scheduler.adapters.kubernetes.transport.credentials import Access
from tests.builders.eventually import eventually
from tests.unit.adapters.kubernetes.stand_in import Answering, Asked, kubeconfig, serving

PODS = "/api/v1/pods"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def endless(begin: bytes, again: bytes, *, pause_s: float = 0.02) -> Callable[[Answering, Asked], None]:
    def answer(answering: Answering, asked: Asked) -> None:
        answering.close_connection = True
        with suppress(OSError):
            answering.wfile.write(begin)
            while not answering.stand_in.over.wait(pause_s):
                answering.wfile.write(again)

    return answer


ENDLESS = {
    "status line": endless(b"HTTP/1.1 200 ", b"O"),
    "header": endless(HEAD + b"X: ", b"x"),
    "provisional answers": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers of a provisional answer": endless(b"HTTP/1.1 100 Continue\r\n", b"a: b\r\n"),
    "size of a chunk": endless(CHUNKED, b"0"),
    "extension of a chunk": endless(CHUNKED + b"1;", b"x"),
    "trailer": endless(CHUNKED + b"0\r\n", b"a: b\r\n"),
    "body": endless(HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "refusal": endless(b"HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\n", b"x"),
}


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    began_s = time.monotonic()
    yield
    assert time.monotonic() - began_s < limit_s


@pytest.mark.parametrize("what", ENDLESS)
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_server_that_never_comes_to_an_end_is_given_up_in_time(
    tmp_path: Path, what: str, *, is_encrypted: bool
) -> None:
    with serving(ENDLESS[what], folder=tmp_path if is_encrypted else None) as stand_in:
        config = kubeconfig(tmp_path, stand_in.url, cluster={"insecure-skip-tls-verify": True})
        transport = Transport(Credentials(config))
        with within(1.5), pytest.raises((Unreachable, ApiFault)):
            transport.request("GET", PODS, timeout_s=0.5)


@pytest.mark.parametrize("what", [what for what in ENDLESS if what not in ("refusal", "body")])
def test_a_stream_that_never_comes_to_a_piece_is_given_up_in_time(tmp_path: Path, what: str) -> None:
    with serving(ENDLESS[what]) as stand_in:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        with within(2), pytest.raises(Unreachable):
            list(transport.stream(PODS, silence_s=0.3).pieces())


def test_a_stream_may_last_for_longer_than_its_silence(tmp_path: Path) -> None:
    def answer(answering: Answering, asked: Asked) -> None:
        answering.begin()
        for _ in range(15):
            answering.piece(b"line\n")
            answering.stand_in.over.wait(0.05)
        answering.end()

    with serving(answer) as stand_in:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        assert len(list(transport.stream(PODS, silence_s=0.3))) == 15


def test_an_answer_of_too_many_headers_is_not_read(tmp_path: Path) -> None:
    with serving(endless(HEAD, b"a: b\r\n" * 1000, pause_s=0)) as stand_in:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        with within(1), pytest.raises(Unreachable, match="100 headers"):
            transport.request("GET", PODS, timeout_s=5)


def test_a_packed_answer_is_not_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(b" " * 10_000_000)

    def answer(answering: Answering, asked: Asked) -> None:
        assert asked.headers["Accept-Encoding"] == "identity"
        answering.content(packed, headers={"Content-Encoding": "gzip"})

    with serving(answer) as stand_in:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        assert transport.text(PODS, limit_bytes=1_000_000) == packed
        with pytest.raises(Garbled, match="no JSON"):
            transport.request("GET", PODS)


def test_an_answer_in_the_smallest_pieces_comes_whole(tmp_path: Path) -> None:
    def answer(answering: Answering, asked: Asked) -> None:
        answering.begin()
        answering.wfile.write(b"1\r\nx\r\n" * 100_000)
        answering.end()

    with serving(answer) as stand_in:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        assert transport.text(PODS, limit_bytes=1_000_000) == b"x" * 100_000
        assert list(transport.stream(PODS, silence_s=30)) == [b"x" * 100_000]


def test_closing_frees_a_thread_that_waits_for_an_answer(tmp_path: Path) -> None:
    with serving(lambda answering, _: answering.wait()) as stand_in, ThreadPoolExecutor(2) as pool:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        asking = pool.submit(transport.request, "GET", PODS, timeout_s=60)
        opening = pool.submit(transport.stream, PODS, silence_s=60)
        eventually(lambda: len(stand_in.asked) == 2, within_s=60)
        transport.close()
        for call in (asking, opening):
            with pytest.raises(Unreachable):
                call.result(2)


class Plugin:
    """Stands in for the loading of credentials, which a test can hold."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.load = loading._load
        self.goes_on = threading.Event()
        self.asked = 0
        monkeypatch.setattr(loading, "_load", self)

    def __call__(self, credentials: Credentials) -> Access:
        self.asked += 1
        self.goes_on.wait(30)
        return self.load(credentials)


def answer_all(answering: Answering, asked: Asked) -> None:
    answering.json({}, status=401 if asked.path == "/refused" else 200)


def test_a_plugin_that_hangs_costs_a_call_no_more_than_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = Plugin(monkeypatch)
    with serving(answer_all) as stand_in, ThreadPoolExecutor(4) as pool:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        with within(1.5):
            for call in [pool.submit(transport.request, "GET", PODS, timeout_s=0.3) for _ in range(4)]:
                with pytest.raises(Unreachable):
                    call.result(5)
        plugin.goes_on.set()
        eventually(lambda: _answers(transport), within_s=60)
    assert plugin.asked == 1


def test_while_credentials_are_loaded_anew_the_others_go_on_with_those_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answer_all) as stand_in, ThreadPoolExecutor(1) as pool:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        transport.request("GET", PODS)
        plugin = Plugin(monkeypatch)
        refused = pool.submit(transport.request, "GET", "/refused", timeout_s=5)
        eventually(lambda: plugin.asked == 1, within_s=60)
        monkeypatch.setattr(sessions, "LOOK_S", 0.0)
        kubeconfig(tmp_path, stand_in.url, user={"token": "second"})
        with within(1):
            for _ in range(5):
                assert transport.request("GET", PODS, timeout_s=5) == {}
            with pytest.raises(ApiFault, match="401"):
                transport.request("GET", "/refused", timeout_s=5)
        plugin.goes_on.set()
        with pytest.raises(ApiFault, match="401"):
            refused.result(5)


def test_looking_for_changed_credentials_leaves_time_for_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answer_all) as stand_in:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url)))
        transport.request("GET", PODS)
        plugin = Plugin(monkeypatch)
        monkeypatch.setattr(sessions, "LOOK_S", 0.0)
        kubeconfig(tmp_path, stand_in.url, user={"token": "second"})
        with within(1):
            assert transport.request("GET", PODS, timeout_s=0.8) == {}
        assert plugin.asked == 1
        plugin.goes_on.set()
        eventually(lambda: _token_after_a_request(transport, stand_in.asked) == "Bearer second", within_s=60)


def _answers(transport: Transport) -> bool:
    with suppress(Unreachable):
        return transport.request("GET", PODS) == {}
    return False


def _token_after_a_request(transport: Transport, asked: list[Asked]) -> str:
    transport.request("GET", PODS)
    return asked[-1].headers["Authorization"]
