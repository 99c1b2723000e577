"""An API server that only knows prepared answers: lists of pods and nodes, and a watch of prepared events.

A process of its own, so that making answers takes no time of whoever reads them: `bench.kubernetes.children` asks it.
"""

import json
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.kubernetes.children import answer_questions
from bench.kubernetes.documents import STAMP_PLACE, lists, node, pod

PAGE = 500
FIRST_EVENT_VERSION = 1_000_001
EVENTS_AT_ONCE = 200
SOCKET_LIMIT_S = 300.0
EMPTY = b'{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1000000"},"items":[]}'


class Prepared:
    """The answers, and who waits for events."""

    def __init__(self, *, pods: int, nodes: int, events: int) -> None:
        """Every event changes one of the pods, in turn."""
        self.pages: dict[tuple[str, int], list[bytes]] = {}
        found = {
            "/api/v1/pods": ("PodList", [pod(number, number + 1, nodes) for number in range(pods)]),
            "/api/v1/nodes": ("NodeList", [node(number, number + 1) for number in range(nodes)]),
        }
        for path, (kind, items) in found.items():
            for page in (PAGE, 10**9):
                self.pages[path, page] = list(lists(kind, items, page))
        self.events = [_event(number, pods, nodes) for number in range(events)]
        self.watchers: list[socket.socket] = []
        self.changed = threading.Condition()
        self.kind = "still"
        """What a watch of pods gets: `still` nothing, `burst` all events at once, `paced` those of `pace`."""

    def pace(self, *, readers: int, per_second: float) -> None:
        """Send every event to all readers, stamped with the moment of sending, so many per second."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.watchers) >= readers, 60):
                raise RuntimeError(f"fewer than {readers} readers watch")
            watchers = list(self.watchers)
        halves = [event.partition(STAMP_PLACE.encode()) for event in self.events]
        start_s = time.monotonic() + 0.5
        for number, (before, _, after) in enumerate(halves):
            time.sleep(max(start_s + number / per_second - time.monotonic(), 0))
            for watcher in watchers if number % 2 else reversed(watchers):
                watcher.sendall(_chunk(before + str(time.monotonic_ns()).encode() + after))


def _event(number: int, pods: int, nodes: int) -> bytes:
    changed = pod(number % pods, FIRST_EVENT_VERSION + number, nodes)
    changed["metadata"]["annotations"]["bench/event"] = str(number)
    whole = {"type": "MODIFIED", "object": {"kind": "Pod", "apiVersion": "v1", **changed}}
    return json.dumps(whole, separators=(",", ":")).encode() + b"\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    prepared: Prepared

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if query.get("watch") in ("true", "True", "1"):
            self._watch(address.path)
            return
        pages = self.prepared.pages.get((address.path, PAGE if "limit" in query else 10**9), [EMPTY])
        answer = pages[int(query.get("continue", 0))]
        self._begin({"Content-Length": str(len(answer))})
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        pass

    def _watch(self, path: str) -> None:
        self._begin({"Transfer-Encoding": "chunked"})
        self.close_connection = True
        self.connection.settimeout(SOCKET_LIMIT_S)
        is_of_pods = path == "/api/v1/pods"
        with suppress(OSError):
            if is_of_pods and self.prepared.kind == "burst":
                for start in range(0, len(self.prepared.events), EVENTS_AT_ONCE):
                    self.wfile.write(_joined(self.prepared.events[start : start + EVENTS_AT_ONCE]))
            elif is_of_pods and self.prepared.kind == "paced":
                with self.prepared.changed:
                    self.prepared.watchers.append(self.connection)
                    self.prepared.changed.notify_all()
            self.connection.recv(1)  # until the reader leaves

    def _begin(self, headers: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _joined(events: Iterable[bytes]) -> bytes:
    return _chunk(b"".join(events))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that leaves is no error."""


def main() -> None:
    """Answer `{"prepare": {...}}` with the port, then `{"watch": kind}` and `{"pace": {...}}`."""
    prepared: list[Prepared] = []

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        ((what, given),) = question.items()
        if what == "prepare":
            prepared.append(Prepared(**given))
            handler = type("_PreparedHandler", (_Handler,), {"prepared": prepared[0]})
            server = _Server(("127.0.0.1", 0), handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            sizes = {path: sum(map(len, pages)) for (path, page), pages in prepared[0].pages.items() if page == PAGE}
            return {"port": server.server_address[1], "bytes": sizes}
        if what == "watch":
            prepared[0].kind = given
        elif what == "pace":
            prepared[0].pace(**given)
        return {}

    answer_questions(answer)


if __name__ == "__main__":
    main()
