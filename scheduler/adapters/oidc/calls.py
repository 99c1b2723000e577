"""Calls to the issuer: bounded in time and size, never redirected. The one module of the room that names HTTP."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2

from scheduler.ports.identity import IssuerUnavailable

TIMEOUT_S = 5.0
LONGEST_CALL_S = 10.0
MOST_BYTES = 256 * 1024


class IssuerError(Exception):
    """The issuer understood, and said no: `args[0]` is its code such as `invalid_grant`."""


def is_loopback(url: str) -> bool:
    """Say whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def is_trusted(url: str) -> bool:
    """Say whether what comes from a URL can be trusted to come from there: https, or this machine."""
    parts = urlsplit(url)
    has_extra = bool(parts.username or parts.password or parts.fragment)
    return (
        bool(parts.hostname)
        and not has_extra
        and (parts.scheme == "https" or (is_loopback(url) and parts.scheme == "http"))
    )


class Caller:
    """Speaks to one issuer."""

    def __init__(self, issuer: str) -> None:
        self._http = httpx2.Client(
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=not is_loopback(issuer),  # a proxy has no business between two processes of one machine
            headers={"Accept": "application/json"},
        )

    def get(self, url: str) -> dict[str, Any]:
        """Return the JSON object at a URL. Raises IssuerUnavailable."""
        status, answer = self._send("GET", url)
        if status != HTTPStatus.OK or answer is None:
            raise IssuerUnavailable(f"{url} answered {status}, which is no answer of an issuer")
        return answer

    def post(self, url: str, form: Mapping[str, str], *, login: tuple[str, str] | None) -> dict[str, Any]:
        """Return the JSON object that a form is answered with; `login` is for HTTP's basic authentication.

        Raises IssuerError where it was refused, IssuerUnavailable.
        """
        status, answer = self._send("POST", url, data=dict(form), auth=login)
        if status == HTTPStatus.OK and answer is not None:
            return answer
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and answer is not None:
            raise IssuerError(str(answer.get("error", status))[:100])
        raise IssuerUnavailable(f"{url} answered {status}, which is no answer of an issuer")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _send(self, method: str, url: str, **parts: Any) -> tuple[int, dict[str, Any] | None]:
        deadline_s = time.monotonic() + LONGEST_CALL_S
        content = bytearray()
        try:
            with self._http.stream(method, url, **parts) as response:
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MOST_BYTES or time.monotonic() > deadline_s:
                        raise IssuerUnavailable(f"{url} answers with too much, or too slowly")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise IssuerUnavailable(f"{url} does not answer: {str(error)[:200] or type(error).__name__}") from error
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        return response.status_code, answer if isinstance(answer, dict) else None
