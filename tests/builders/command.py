"""What tests of the `medley` command need: answers of the API, a server that gives them, runs of the command."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from medley.answers import Json

JOB_ID = "01jd3v9k2m0a7b4c"
TOKEN = "mdl_" + "a" * 38
RUN_TIME_LIMIT_S = 60


def a_spec(**changes: Any) -> Json:
    spec: Json = {
        "name": "first",
        "kind": "training",
        "workers": 2,
        "chips": {"h100-sxm": 1, "mi300x": 1},
        "devices_per_worker": 1,
        "cpu_milli": 1000,
        "memory_mib": 4096,
        "command": None,
        "training": {"steps": 60, "seed": 1},
        "environment": {},
        "retries": 0,
        "time_limit_s": None,
        "grace_s": 10,
        "priority": 0,
        "labels": {},
    }
    return spec | changes


def a_job(**changes: Any) -> Json:
    """A queued job, as the API shows it."""
    job: Json = {
        "id": JOB_ID,
        "tenant": "demo",
        "name": "first",
        "kind": "training",
        "state": "queued",
        "wish": "run",
        "submitted_by": "ada",
        "submitted_at": "2026-01-01T00:00:00.000000Z",
        "finished_at": None,
        "spec": a_spec(),
        "reasons": [],
        "stop": None,
        "attempts": [],
        "progress": None,
        "not_before": None,
        "retries_used": 0,
    }
    return job | changes


def a_job_in_short(**changes: Any) -> Json:
    row: Json = {
        **{key: a_job()[key] for key in ("id", "tenant", "name", "state", "submitted_by", "submitted_at")},
        "kind": "training",
        "priority": 0,
        "workers": 2,
        "devices": 2,
        "chips": ["h100-sxm"],
        "mix": None,
        "finished_at": None,
        "attempts": 0,
        "stop_reason": None,
        "progress": None,
        "replicas": None,
        "array": None,
    }
    return row | changes


def an_attempt(**changes: Any) -> Json:
    attempt: Json = {
        "id": f"{JOB_ID}-g0-a1",
        "number": 1,
        "generation": 1,
        "state": "running",
        "stop_reason": None,
        "placed_at": "2026-01-01T00:00:01.000000Z",
        "started_at": "2026-01-01T00:00:02.000000Z",
        "ended_at": None,
        "workers": [
            a_worker(),
            a_worker(rank=1, node="mixed/amd-1", chip="mi300x", devices=[4], why="only node with a free mi300x"),
        ],
    }
    return attempt | changes


def a_worker(**changes: Any) -> Json:
    worker: Json = {
        "rank": 0,
        "node": "mixed/nvidia-1",
        "chip": "h100-sxm",
        "devices": [0],
        "phase": "running",
        "exit_code": None,
        "end": None,
        "detail": None,
        "started_at": None,
        "ended_at": None,
        "why": "tightest fit in rack r1",
    }
    return worker | changes


def a_report(step: int, loss: float) -> Json:
    return {"step": step, "steps": 60, "loss": loss, "tokens_per_s": 51234.0, "at": f"2026-01-01T00:00:{step:02}Z"}


def a_problem(status: int, code: str, **changes: Any) -> Json:
    problem: Json = {
        "type": f"/problems/{code}",
        "title": code,
        "status": status,
        "detail": f"the detail of {code}",
        "code": code,
        "request_id": "req-1",
        "next": None,
        "errors": [],
    }
    return problem | changes


def an_event(number: int, kind: str, state: str | None = None, **changes: object) -> bytes:
    """One frame of an event stream."""
    data = {
        "number": number,
        "at": "2026-01-01T00:00:00.000000Z",
        "tenant": "demo",
        "job": JOB_ID,
        "kind": kind,
        "state": state,
        "text": f"text of {number}",
        "data": {},
        **changes,
    }
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


END_EVENT = b'event: end\ndata: {"state":"succeeded"}\n\n'


@dataclass(frozen=True)
class Reply:
    """One answer. `is_dropped` breaks the connection without any."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Sequence[bytes] = ()
    is_dropped: bool = False


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any


class ScriptedServer:
    """Answers each route with its replies in turn, the last of them for ever, and remembers what it was asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[Request] = []
        self._routes: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()

    def on(self, route: str, *replies: Reply) -> None:
        """Script a route such as `GET /v1/whoami`."""
        self._routes[route] = list(replies)

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            replies = self._routes.get(f"{request.method} {request.path}")
            if not replies:
                return Reply(404, a_problem(404, "not-found", detail=f"nothing at {request.path}"))
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def asked(self, route: str) -> list[Request]:
        """The requests that a route got."""
        with self._lock:
            return [request for request in self.requests if f"{request.method} {request.path}" == route]


@contextmanager
def a_scripted_server() -> Iterator[ScriptedServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    scripted = ScriptedServer(f"http://127.0.0.1:{server.server_port}")
    server.scripted = scripted  # type: ignore[attr-defined]  # how a handler finds its script
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    timeout = 30

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(content) if content else None
        request = Request(self.command, parts.path, parse_qs(parts.query), dict(self.headers), body)
        reply = self.server.scripted.answer(request)  # type: ignore[attr-defined]
        if reply.is_dropped:
            return
        kind = "application/problem+json" if reply.status >= 400 else "application/json"
        headers = {"Content-Type": "text/event-stream" if reply.stream else kind, **reply.headers}
        payload = b"".join(reply.stream) or (b"" if reply.body is None else json.dumps(reply.body).encode())
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815 - names that http.server looks for


def run_medley(*arguments: str, environment: Mapping[str, str], stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the command as a user would; `environment` is all it knows besides the path."""
    return subprocess.run(  # its arguments are the tests' own
        [sys.executable, "-m", "medley", *arguments],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[2],
        encoding="utf-8",
        env={"PATH": os.environ["PATH"], **environment},
        input=stdin,
        timeout=RUN_TIME_LIMIT_S,
    )


def run_in_window(*arguments: str, columns: int, environment: Mapping[str, str]) -> str:
    """Run the command in a terminal of so many columns; return what it printed there, its colours left out."""
    reading, writing = pty.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "medley", *arguments],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "NO_COLOR": "1", **environment},
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        stdout=writing,
    ) as process:
        os.close(writing)
        shown = b"".join(_read_terminal(reading))
        assert process.wait(RUN_TIME_LIMIT_S) == 0, shown
    os.close(reading)
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", shown)
    return plain.decode().replace("\r\n", "\n")


def _read_terminal(descriptor: int) -> Iterator[bytes]:
    # A terminal whose other side is closed does not end: it fails.
    with suppress(OSError):
        while piece := os.read(descriptor, 65_536):
            yield piece


def logged_in(server: ScriptedServer, folder: Path) -> dict[str, str]:
    """An environment that is logged in to the server and finds no other login."""
    return {
        "MEDLEY_ADDRESS": server.address,
        "MEDLEY_TOKEN": TOKEN,
        "MEDLEY_CONFIG": str(folder / "login.json"),
        "HOME": str(folder),
    }
