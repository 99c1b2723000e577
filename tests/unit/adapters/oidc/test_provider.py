"""An issuer that misbehaves: what it answers is bounded, and believed only where it fits."""

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scheduler.adapters.oidc.calls import is_trusted
from scheduler.adapters.oidc.provider import OidcProvider
from scheduler.ports.identity import IssuerUnavailable, ProofRefused
from tests.builders.issuer import a_configuration


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return 0.0


class Pages:
    """Answers paths with bytes and a status."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, bytes, Mapping[str, str]]] = {}
        self.asked: list[str] = []
        self.address = ""

    def on(self, path: str, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.pages[path] = (status, content, headers or {})


@pytest.fixture
def pages() -> Iterator[Pages]:
    pages = Pages()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages.asked.append(self.path)
            status, content, headers = pages.pages.get(self.path, (404, b"{}", {}))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                return

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the standard library has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages.address = f"http://127.0.0.1:{server.server_port}"
    found = {
        "issuer": pages.address,
        "authorization_endpoint": f"{pages.address}/authorize?x=1",
        "token_endpoint": f"{pages.address}/token",
        "jwks_uri": f"{pages.address}/keys",
    }
    pages.on("/.well-known/openid-configuration", found)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield pages
    server.shutdown()
    server.server_close()


@pytest.fixture
def provider(pages: Pages) -> Iterator[OidcProvider]:
    provider = OidcProvider(a_configuration(issuer=pages.address, client_secret="a secret: of%"), Clock())
    yield provider
    provider.close()


def begin(provider: OidcProvider) -> str:
    return provider.authorization_url(state="s", nonce="n", challenge="c")


def test_a_browser_is_sent_with_a_challenge_and_no_secret(pages: Pages, provider: OidcProvider) -> None:
    url = begin(provider)
    assert url.startswith(f"{pages.address}/authorize?x=1&response_type=code&client_id=medley&")
    assert "code_challenge=c&code_challenge_method=S256" in url
    assert "secret" not in url
    begin(provider)
    assert pages.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"", 200, {}),
        (b"<html>", 200, {}),
        ([], 200, {}),
        (b"[" * 50_000, 200, {}),
        ({"issuer": "https://elsewhere.test"}, 200, {}),
        ({}, 200, {}),
        (b"x" * 1_000_000, 200, {}),
        ({}, 500, {}),
        ({}, 302, {"Location": "/elsewhere"}),
    ],
    ids=["empty", "markup", "a list", "deep", "another's", "no issuer", "1 MB", "a fault", "a redirect"],
)
def test_what_is_no_discovery_document_is_none(
    pages: Pages, provider: OidcProvider, body: Any, status: int, headers: Mapping[str, str]
) -> None:
    pages.on("/.well-known/openid-configuration", body, status, headers)
    with pytest.raises(IssuerUnavailable):
        begin(provider)
    assert pages.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize("address", ["http://elsewhere.test/a", "file:///etc/passwd", "ftp://h/", "/authorize", "", 7])
def test_addresses_that_cannot_be_trusted_are_not_used(pages: Pages, provider: OidcProvider, address: Any) -> None:
    pages.on("/.well-known/openid-configuration", {"issuer": pages.address, "authorization_endpoint": address})
    with pytest.raises(IssuerUnavailable):
        begin(provider)


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://issuer.test/x", True),
        ("http://127.0.0.1:5556", True),
        ("http://localhost/x", True),
        ("http://[::1]:80/x", True),
        ("http://issuer.test", False),
        ("http://127.0.0.1.issuer.test", False),
        ("http://user@127.0.0.1/", False),
        ("https://user:password@issuer.test/", False),
        ("https://issuer.test/#x", False),
        ("https://", False),
        ("gopher://127.0.0.1", False),
        ("http://2130706433/", False),
    ],
)
def test_https_is_trusted_and_this_machine(url: str, *, trusted: bool) -> None:
    assert is_trusted(url) == trusted


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        ({"error": "invalid_grant"}, 400, ProofRefused),
        ({"error": "invalid_client"}, 401, ProofRefused),
        ({"access_token": "a"}, 200, IssuerUnavailable),
        ({"id_token": 7}, 200, IssuerUnavailable),
        ({"id_token": "a.b.c"}, 200, ProofRefused),
        (b"oops", 200, IssuerUnavailable),
        ({}, 503, IssuerUnavailable),
    ],
)
def test_a_code_that_is_not_answered_with_a_good_token_proves_nothing(
    pages: Pages, provider: OidcProvider, answer: Any, status: int, error: type[Exception]
) -> None:
    pages.on("/token", answer, status)
    with pytest.raises(error) as refused:
        provider.redeem("code", verifier="v", nonce="n")
    assert "a secret" not in str(refused.value)


def test_an_issuer_that_is_away_is_said_to_be(pages: Pages) -> None:
    provider = OidcProvider(a_configuration(issuer="http://127.0.0.1:1"), Clock())
    with pytest.raises(IssuerUnavailable, match="does not answer"):
        begin(provider)
    provider.close()
