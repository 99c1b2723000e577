"""Calls to Medley's API, repeated while the trouble may pass: a server that is restarted must not end a training.

Only for calls that may be repeated without harm, which all calls of a worker are.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import urlsplit

from medley_runtime.endings import AttemptClosed

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
ANSWER_LIMIT_BYTES = 1024 * 1024

OK = 200
REDIRECTS = 300
CONFLICT = 409
TOO_MANY_REQUESTS = 429
SERVER_ERRORS = 500


class ApiUnreachable(Exception):
    """The API gave no usable answer for as long as was allowed; the message says what the last trouble was."""


class ApiRefused(Exception):
    """The API answered, and the answer is no."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"the API refused with status {status} ({code}): {detail}")
        self.status = status
        self.code = code


class _MayPass(Exception):
    """This try failed; another may not."""

    def __init__(self, text: str, pause_s: float) -> None:
        super().__init__(text)
        self.pause_s = pause_s
        """The least pause that the server asks for."""


@dataclass(frozen=True)
class Request:
    """One call."""

    method: str
    path: str
    """With the query."""
    body: dict[str, Any]
    """Sent as JSON; empty: no body."""


@dataclass(frozen=True)
class Patience:
    """How long a call may take."""

    total_s: float
    """No new try starts after this."""
    answer_s: float
    """Of one try: to connect, and again for each piece of the answer."""


class ApiClient:
    """The API as one attempt sees it. May be used from several threads."""

    def __init__(self, api_url: str, token: str, announce: Callable[[str], None]) -> None:
        """`announce` hears once per call that a try failed and the call goes on."""
        self._api_url = api_url
        self._token = token
        self._announce = announce

    def call(self, request: Request, patience: Patience) -> dict[str, Any]:
        """Return the answer's JSON object, empty for an answer without one.

        Raises ApiUnreachable, ApiRefused, AttemptClosed.
        """
        deadline = time.monotonic() + patience.total_s
        longest_pause_s = FIRST_PAUSE_S
        has_announced = False
        while True:
            try:
                return self._try(request, patience.answer_s)
            except _MayPass as trouble:  # noqa: PERF203 - the loop is there for it
                pause_s = max(trouble.pause_s, longest_pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                if time.monotonic() + pause_s > deadline:
                    text = f"the API at {self._api_url} gave no usable answer for {patience.total_s:g} s: {trouble}"
                    raise ApiUnreachable(text) from trouble
                if not has_announced:
                    self._announce(f"the API at {self._api_url}: {trouble}; trying on for up to {patience.total_s:g} s")
                    has_announced = True
                time.sleep(pause_s)
                longest_pause_s = min(longest_pause_s * 2, LONGEST_PAUSE_S)

    def _try(self, request: Request, answer_s: float) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        body = None
        if request.body:
            body = json.dumps(request.body).encode()
            headers["Content-Type"] = "application/json"
        url = urlsplit(self._api_url)
        # Not urllib.request: it would follow the job's http_proxy variables with the attempt's token in hand.
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=answer_s)
        try:
            connection.request(request.method, url.path.rstrip("/") + request.path, body=body, headers=headers)
            response = connection.getresponse()
            payload = response.read(ANSWER_LIMIT_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise _MayPass(f"no answer ({_reason(error)})", 0.0) from error
        finally:
            connection.close()
        return _judge(response, payload)


def _judge(response: http.client.HTTPResponse, payload: bytes) -> dict[str, Any]:
    document = _json_object(payload)
    if OK <= response.status < REDIRECTS:
        return document
    code = str(document.get("code", "no-code"))
    detail = str(document.get("detail") or response.reason)
    if response.status >= SERVER_ERRORS or response.status == TOO_MANY_REQUESTS:
        raise _MayPass(f"status {response.status} ({code}: {detail})", _retry_after_s(response))
    if response.status == CONFLICT and code == "attempt-closed":
        raise AttemptClosed(f"the API says that this attempt is closed ({detail}); nothing more is to be done here")
    raise ApiRefused(response.status, code, detail)


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        document = json.loads(payload)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _retry_after_s(response: http.client.HTTPResponse) -> float:
    text = response.headers.get("Retry-After") or ""
    return min(float(text), LONGEST_PAUSE_S) if text.isdecimal() else 0.0


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
