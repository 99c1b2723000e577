"""A plain client of the Kubernetes API for tests: whole documents in and out, connections kept open."""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

TIMEOUT_S = 30.0
NOT_FOUND = 404
CONFLICT = 409
FIRST_ERROR = 400
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"

Document = dict[str, Any]


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, call: str, status: int, body: Document) -> None:
        super().__init__(f"{call}: {status} {body.get('reason', '')}: {body.get('message', body)}")
        self.status = status
        self.reason = str(body.get("reason", ""))
        self.body = body


class Api:
    """Calls to one server as one user. Safe for threads. Raises Refused, and OSError where nobody answers."""

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None, token: str | None = None) -> None:
        self.url = url
        self._tls = tls
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | list[Any] | None = None,
        *,
        kind: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Document:
        """Make a call and return its document; an answer that is none comes as `{"text": ...}`."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": kind} if data is not None else {})
        target = f"{path}?{urlencode(query)}" if query else path
        status, answer = self._exchange(method, target, data, headers)
        found = _document(answer)
        if status >= FIRST_ERROR:
            raise Refused(f"{method} {path}", status, found)
        return found

    def get(self, path: str, **query: str) -> Document:
        """Read an object or a list."""
        return self.call("GET", path, query=query)

    def find(self, path: str) -> Document | None:
        """Read an object; None where there is none."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    def create(self, path: str, body: Mapping[str, Any]) -> Document:
        """Create an object in the collection at a path."""
        return self.call("POST", path, body)

    def patch(self, path: str, body: Mapping[str, Any] | list[Any], *, kind: str = MERGE) -> Document:
        """Change an object."""
        return self.call("PATCH", path, body, kind=kind)

    def replace(self, path: str, body: Mapping[str, Any]) -> Document:
        """Put an object in the place of an older version of it."""
        return self.call("PUT", path, body)

    def delete(self, path: str, body: Mapping[str, Any] | None = None) -> None:
        """Delete an object or a collection; what is not there does not matter."""
        try:
            self.call("DELETE", path, body)
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise

    def text(self, path: str, **query: str) -> str:
        """Read what is not JSON, such as a log."""
        status, answer = self._exchange("GET", f"{path}?{urlencode(query)}", None, self._headers)
        if status >= FIRST_ERROR:
            raise Refused(f"GET {path}", status, _document(answer))
        return answer.decode(errors="replace")

    def watch(self, path: str, *, silence_s: float = TIMEOUT_S, **query: str) -> "Lines":
        """Open a stream of lines, on a connection of its own; a `watch` asks for events, a log may follow."""
        connection = self._connect(silence_s)
        try:
            connection.request("GET", f"{path}?{urlencode(query)}", headers=self._headers)
            line = connection.sock
            response = connection.getresponse()
            refused = None if response.status < FIRST_ERROR else _document(response.read())
        except BaseException:
            connection.close()
            raise
        if refused is not None:
            connection.close()
            raise Refused(f"GET {path}", response.status, refused)
        return Lines(connection, line, response)

    def close(self) -> None:
        """Let go of idle connections; another call makes a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, method: str, target: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        connection = kept or self._connect(TIMEOUT_S)
        try:
            connection.request(method, target, data, headers)
            response = connection.getresponse()
            answer = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if kept is None or isinstance(error, TimeoutError):
                raise ConnectionError(f"{method} {target}: {error!r}") from error
            # It was closed meanwhile, by a server that restarted or grew tired of it; so are the others, probably.
            self.close()
            return self._exchange(method, target, data, headers)
        with self._lock:
            self._idle.append(connection)
        return answer

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        address = urlsplit(self.url)
        if self._tls is None:
            return http.client.HTTPConnection(address.netloc, timeout=timeout_s)
        return http.client.HTTPSConnection(address.netloc, timeout=timeout_s, context=self._tls)


class Lines:
    """The lines of an answer that goes on; closing it from another thread ends the iteration."""

    def __init__(
        self, connection: http.client.HTTPConnection, line: socket.socket, response: http.client.HTTPResponse
    ) -> None:
        self._connection = connection
        self._line = line
        self._response = response
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            while line := self._read():
                yield line
        finally:
            self._connection.close()

    def close(self) -> None:
        """End the stream."""
        self._is_closed = True
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def _read(self) -> bytes:
        try:
            return b"" if self._is_closed else self._response.readline()
        except http.client.HTTPException as error:
            if self._is_closed:
                return b""
            raise ConnectionError(f"the stream was cut: {error!r}") from error
        except (OSError, ValueError):
            if self._is_closed:
                return b""
            raise


def trusting(authority: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return a context that trusts one authority and, with a certificate, proves who we are."""
    context = ssl.create_default_context(cafile=str(authority))
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def path_of(kind: str, name: str = "", *, namespace: str = "", group: str = "api/v1") -> str:
    """Return the path of a collection (`path_of("pods", namespace="n")`) or of an object of it."""
    inner = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"/{group}{inner}/{kind}" + (f"/{quote(name)}" if name else "")


def _document(answer: bytes) -> Document:
    try:
        found = json.loads(answer)
    except ValueError:
        return {"text": answer.decode(errors="replace")}
    return found if isinstance(found, dict) else {"items": found}
