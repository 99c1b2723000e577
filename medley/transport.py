"""Sends one call to the server and repeats it where that is safe. The only module that names the HTTP library."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from medley.errors import ApiProblem, MedleyError, Unreachable
from medley.retries import MOST_TRIES, Failure, pause_before_repeating_s, retry_after_s

_CONNECT_S = 5.0
_ANSWER_S = 30.0
_STREAM_SILENCE_S = 40.0
"""A stream sends a heartbeat every 15 seconds: after two missed ones it is taken for dead."""
_RESUMING_S = 60.0
"""How long a stream that was open and broke is tried again: a restart of the server takes less."""
_LARGEST_ANSWER_BYTES = 64 * 1024 * 1024
_END = "end"
"""The kind of a job's last event."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)

Query = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `is_idempotent` promises that making it twice does what making it once does."""

    method: str
    path: str
    is_idempotent: bool
    query: Query = field(default_factory=dict)
    """Entries that are None are left out; a list makes the parameter repeat."""
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    held_s: float = 0.0
    """How long the server was asked to hold its answer; added to the time limit."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One entry of a stream: the number to resume after, and its data."""

    id: str
    kind: str
    data: dict[str, Any]


@dataclass(slots=True)
class _Reading:
    """How far a stream was read."""

    last_id: str | None
    was_open: bool = False
    """Whether the latest connection got as far as to be a stream."""


class Transport:
    """Connections to one server under one token."""

    def __init__(self, address: str, token: str | None, *, patience_s: float) -> None:
        self.address = address
        self.patience_s = patience_s
        """How long a call is repeated while the server does not answer."""
        self._http = httpx2.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S),
            # A proxy has no business between two processes of one machine.
            trust_env=urlsplit(address).hostname not in _LOOPBACK,
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def send(self, call: Call) -> Any:
        """Return the answer's JSON, None for an empty one.

        Raises ApiProblem where the server refused, Unreachable where it did not answer within the patience.
        """
        deadline_s = time.monotonic() + self.patience_s
        for tries in range(1, MOST_TRIES + 1):
            try:
                return self._send_once(call)
            except MedleyError as error:
                pause_s = pause_before_repeating_s(Failure(error, call.is_idempotent, tries))
                if pause_s is None or tries == MOST_TRIES or time.monotonic() + pause_s > deadline_s:
                    raise
                time.sleep(pause_s)
        raise AssertionError("the last try either returned or raised")

    def _send_once(self, call: Call) -> Any:
        try:
            with self._http.stream(
                call.method,
                call.path,
                params=_parameters(call.query),
                json=call.body,
                headers=dict(call.headers),
                timeout=httpx2.Timeout(_ANSWER_S + call.held_s, connect=_CONNECT_S),
            ) as response:
                return self._read(response)
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error

    def events(
        self, path: str, *, after: int | None, on_break: Callable[[MedleyError], None] | None = None
    ) -> Iterator[ServerEvent]:
        """Yield a stream's events after a number, or from now on; a broken stream is taken up where it broke.

        Ends with the event `end`. Raises ApiProblem, and Unreachable: after the patience where the stream could not be
        opened, after a minute where it was open and broke. Each time it breaks, `on_break` is told why.
        """
        reading = _Reading(None if after is None else str(after))
        tries, deadline_s = 0, time.monotonic() + self.patience_s
        while True:
            error: MedleyError = Unreachable(self.address, "the event stream ended", was_sent=True)
            reading.was_open = False
            try:
                for event in self._stream_once(path, reading):
                    if event.kind == _END:
                        return
                    tries = 0
                    yield event
            except MedleyError as caught:
                error = caught
            if reading.was_open:
                deadline_s = time.monotonic() + max(self.patience_s, _RESUMING_S)
                if on_break:
                    on_break(error)
            tries = min(tries + 1, MOST_TRIES)
            pause_s = pause_before_repeating_s(Failure(error, is_idempotent=True, tries=tries))
            if pause_s is None or time.monotonic() + pause_s > deadline_s:
                raise error
            time.sleep(pause_s)

    def recorded_events(self, path: str, *, after: int, idle_s: float) -> Iterator[ServerEvent]:
        """Yield the events that are already there: ends when the stream does or is silent for `idle_s`."""
        try:
            for event in self._stream_once(path, _Reading(str(after)), silence_s=idle_s):
                if event.kind == _END:
                    return
                yield event
        except _Silence:
            return

    def _stream_once(
        self, path: str, reading: _Reading, *, silence_s: float = _STREAM_SILENCE_S
    ) -> Iterator[ServerEvent]:
        timeout = httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S, read=silence_s)
        headers = {} if reading.last_id is None else {"Last-Event-ID": reading.last_id}
        try:
            with self._http.sse(path, headers=headers, timeout=timeout) as source:
                if not source.response.is_success:
                    self._read(source.response)
                reading.was_open = True
                for event in source:
                    # An id without data says where a stream begins in which nothing has happened yet.
                    reading.last_id = event.id or reading.last_id
                    if event.data:
                        yield ServerEvent(event.id, event.event, _event_data(event.data))
        except httpx2.TransportError as error:
            if reading.was_open and isinstance(error, httpx2.ReadTimeout):
                raise _Silence(self.address, f"no event for {silence_s:g} s", was_sent=True) from error
            raise self._unreachable(error) from error

    def _read(self, response: httpx2.Response) -> Any:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > _LARGEST_ANSWER_BYTES:
                raise ApiProblem(502, {"code": "answer-too-large", "detail": "the answer is larger than 64 MiB"})
        if response.is_success and not content:
            return None
        answer = _decoded(bytes(content))
        if response.is_success and answer is not None:
            return answer
        retry_after = retry_after_s(response.headers.get("Retry-After"))
        is_problem = isinstance(answer, dict) and "status" in answer and not response.is_success
        problem = answer if is_problem else self._not_medley(response)
        raise ApiProblem(response.status_code, problem, retry_after_s=retry_after)

    def _not_medley(self, response: httpx2.Response) -> dict[str, str]:
        kind = response.headers.get("content-type", "no content type")
        return {
            "code": "not-medley",
            "detail": f"{self.address} answered {response.status_code} with {kind}, which is no answer of Medley's API",
            "next": "check the address: `medley login ADDRESS` changes it",
        }

    def _unreachable(self, error: httpx2.TransportError) -> Unreachable:
        why = str(error) or type(error).__name__
        return Unreachable(self.address, why, was_sent=not isinstance(error, _NEVER_SENT))


class _Silence(Unreachable):
    """A stream sent nothing for longer than was agreed."""


def _parameters(query: Query) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _event_data(text: str) -> dict[str, Any]:
    data = _decoded(text.encode())
    return data if isinstance(data, dict) else {}
