"""Builders for medley_runtime: launch documents, the routes of the API that workers use, and workers as processes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
Answer = tuple[int, Json]

TOKEN = "mda_the-attempts-own-token"


def launch_document(**changes: Any) -> Json:
    """Return a valid launch document of a lone worker with a command, with some fields changed."""
    document: Json = {
        "version": 1,
        "job": "job-1",
        "job_name": "first",
        "tenant": "demo",
        "attempt": "attempt-1",
        "attempt_number": 2,
        "generation": 7,
        "rank": 0,
        "world_size": 1,
        "node": "mixed/nvidia-1",
        "chip": "h100-sxm",
        "torch_device": "cuda",
        "devices": [2, 3],
        "devices_are_simulated": True,
        "api_url": "http://127.0.0.1:9",
        "token": TOKEN,
        "grace_s": 10,
        "program": {"kind": "command", "argv": ["true"]},
    }
    return {**document, **changes}


def with_roles(role: str = "worker", **changes: Any) -> Json:
    """Return what differs where three workers have a launcher beside them, with a command of its own, and a reader."""
    roles: Json = {
        "worker": {"world_size": 3},
        "launcher": {"world_size": 1, "program": {"kind": "command", "argv": ["launch", "--all"]}},
        "reader": {"world_size": 1},
    }
    places = {"rank": 0, "role_rank": 0, "program_rank": 0}
    return {"version": 2, "world_size": 5, "roles": roles, "role": role, **places, **changes}


def with_checkpoints(folder: Path, *, interval_s: int = 1, keep: int = 2, **changes: Any) -> Json:
    """Return what differs where a gang of one role has a place for checkpoints."""
    place = {"folder": str(folder), "interval_s": interval_s, "keep": keep}
    roles = {"worker": {"world_size": changes.get("world_size", 1)}}
    own = {"role": "worker", "role_rank": 0, "program_rank": 0}
    return {"version": 3, "roles": roles, **own, "checkpoints": place, **changes}


def reference_training(**changes: Any) -> Json:
    """Return the program of the reference training with its defaults, with some fields changed."""
    sizes = {"steps": 60, "batch": 8, "sequence": 64, "width": 64, "layers": 2, "heads": 2}
    return {"kind": "reference-training", **sizes, "learning_rate": 0.003, "seed": 1, **changes}


@dataclass
class WorkerApi:
    """What the API keeps for one attempt, and how it answers."""

    address: str = ""
    heartbeats: list[Json] = field(default_factory=list)
    addresses: dict[int, str] = field(default_factory=dict)
    """By generation."""
    called: tuple[int, int] | None = None
    """The generation that the gang is called to, and its size."""
    next_s: float = 0.05
    """What it answers to heartbeats: when it wants the next."""
    is_closed: bool = False
    requests: list[str] = field(default_factory=list)
    scripted: list[Answer] = field(default_factory=list)
    """Given first, in order, whatever is asked."""
    url: str = ""
    holds: threading.Event = field(default_factory=threading.Event)
    """While set, requests are noted, and answered once `released` is set."""
    released: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def progress(self) -> list[Json]:
        """What the heartbeats told of steps, each once."""
        told = [beat["progress"] for beat in self.heartbeats if beat["progress"] is not None]
        return [report for place, report in enumerate(told) if place == 0 or report != told[place - 1]]

    @property
    def checkpoints(self) -> list[int]:
        """The steps that were told as saved, each once."""
        told = (beat["checkpoint_step"] for beat in self.heartbeats if beat["checkpoint_step"] is not None)
        return sorted(set(told))

    def answer(self, method: str, path: str, body: Json) -> Answer:
        """Return status and body as the wire contract has them."""
        self.requests.append(f"{method} {path}")
        if self.holds.is_set():
            self.released.wait(10)
        if self.scripted:
            return self.scripted.pop(0)
        if self.is_closed:
            return 409, {"code": "attempt-closed", "detail": "attempt-1 was cancelled"}
        kind = urlsplit(path).path.rpartition("/")[2]
        if (method, kind) == ("PUT", "rendezvous"):
            with self.changed:
                self.address = self.addresses[body["generation"]] = body["address"]
                self.changed.notify_all()
            return 204, {}
        if (method, kind) == ("POST", "heartbeat"):
            self.heartbeats.append(body)
            return 200, {"next_s": self.next_s, "generation": self.called and self.called[0]}
        return self._ask(kind, parse_qs(urlsplit(path).query))

    def _ask(self, kind: str, asked: dict[str, list[str]]) -> Answer:
        if kind == "generation":
            generation, world_size = self.called or (1, 1)
            return 200, {"generation": generation, "world_size": world_size}
        return self._where(asked)

    def _where(self, asked: dict[str, list[str]]) -> Answer:
        """Return where rank 0 is, once it has registered."""
        with self.changed:
            address = self.changed.wait_for(lambda: self._address(asked), min(float(asked["wait_s"][0]), 1.0))
            if address:
                return 200, {"address": address}
        return 404, {"code": "rendezvous-not-ready", "detail": "rank 0 has not registered"}

    def _address(self, asked: dict[str, list[str]]) -> str:
        return self.addresses.get(int(asked.get("generation", ["0"])[0]), "" if self.addresses else self.address)


@contextmanager
def serving(api: WorkerApi, port: int = 0) -> Iterator[WorkerApi]:
    """Serve the API on a port of this machine until left."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, document = 401, {"code": "bad-token", "detail": "not this attempt's token"}
            else:
                status, document = api.answer(self.command, self.path, body)
            payload = json.dumps(document).encode() if document else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_PUT = do_POST = handle_any  # noqa: N815 - the names are the library's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class RunningWorker:
    """A worker's process; its output goes to a file, as under a supervisor."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, limit_s: float = 60) -> int:
        """Return the exit code."""
        return self.process.wait(timeout=limit_s)

    @property
    def output(self) -> str:
        """All lines until now."""
        return self.log.read_text()


@contextmanager
def running_gang(folder: Path, documents: Sequence[Json], **environment: str) -> Iterator[list[RunningWorker]]:
    """Start one worker per launch document; what still runs at the end is killed, with the programs that it started."""
    workers = [_start(folder / f"worker-{index}", document, environment) for index, document in enumerate(documents)]
    try:
        yield workers
    finally:
        for worker in workers:
            _kill_all_of(worker.process.pid)
            worker.process.wait(timeout=10)


def _kill_all_of(session: int) -> None:
    """Kill the processes of a session, in whatever group of it they are."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(ProcessLookupError):
                if os.getsid(int(entry.name)) == session:
                    os.kill(int(entry.name), signal.SIGKILL)


def gang_documents(world_size: int, **changes: Any) -> list[Json]:
    """Return the launch documents of a gang's workers, by rank."""
    places = [{"rank": rank, "role_rank": rank, "program_rank": rank} for rank in range(world_size)]
    return [launch_document(**{**changes, "world_size": world_size, **place}) for place in places]


def _start(path: Path, document: Json, environment: dict[str, str]) -> RunningWorker:
    launch, log = path.with_suffix(".json"), path.with_suffix(".log")
    launch.write_text(json.dumps(document))
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "medley_runtime"],
            env={**os.environ, **environment, "MEDLEY_LAUNCH": str(launch)},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    return RunningWorker(process, log)
