"""A real Medley server in a process of its own, for tests that start, kill and restart it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from tests.builders import preloaded
from tests.builders.eventually import eventually

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 60
STOP_WITHIN_S = 30


class Answer(NamedTuple):
    """A response, its body decoded where it is JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Api:
    """One keep-alive connection to a server, as one principal."""

    def __init__(self, address: str, token: str | None) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Make a request; raises OSError or HTTPException where there is no answer."""
        sent = {**self._headers, **(headers or {})}
        content = None
        if body is not None:
            content = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        try:
            self._connection.request(method, path, content, sent)
            response = self._connection.getresponse()
            raw = response.read()
        except BaseException:
            self._connection.close()
            raise
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, json.loads(raw) if is_json and raw else raw, dict(response.headers))

    def want(self, status: int, method: str, path: str, body: Any = None) -> Any:
        """Make a request that must be answered with `status`; return the body."""
        answer = self.call(method, path, body)
        assert answer.status == status, f"{method} {path}: {answer.status} {answer.body}"
        return answer.body

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ServerProcess:
    """`medley serve` on a data folder; the port stays the same over restarts."""

    def __init__(
        self,
        data_folder: Path,
        inventory: Path | None,
        *,
        listen: str = "127.0.0.1:0",
        database: str | None = None,
        clusters: Path | None = None,
        environment: Mapping[str, str] | None = None,
        metrics_listen: str = "off",
    ) -> None:
        """`clusters` is a file of Kubernetes clusters, and takes the place of an inventory."""
        self.data_folder = data_folder
        self.log = data_folder.with_suffix(".log")
        self.inventory = inventory
        """May be changed between stopping and starting."""
        self._listen = listen
        self._database = database
        self._clusters = clusters
        self._environment = {**os.environ, **(environment or {})}
        self._seen = 0
        self._metrics_listen = metrics_listen
        self._process: preloaded.Forked | None = None
        self.address = ""

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the server."""
        arguments = ["serve", "--data-folder", str(self.data_folder)]
        arguments += ["--listen", self._listen, "--metrics-listen", self._metrics_listen]
        arguments += [] if self.inventory is None else ["--inventory", str(self.inventory)]
        arguments += [] if self._database is None else ["--database", self._database]
        arguments += [] if self._clusters is None else ["--cluster", "kubernetes", "--clusters", str(self._clusters)]
        with self.log.open("ab") as log:
            self._seen = log.tell()
            self._process = preloaded.start(arguments, folder=ROOT, environment=self._environment, output=log)

    def wait_until_ready(self) -> None:
        """Return once it says so."""
        eventually(lambda: self._find_address(self._seen), within_s=START_WITHIN_S)
        self._listen = urlsplit(self.address).netloc
        eventually(self._is_ready, within_s=START_WITHIN_S)

    def _find_address(self, seen: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server ended at once:\n{self.log.read_text()[-3000:]}"
        for line in self.log.read_bytes()[seen:].decode().splitlines():
            if line.startswith("Medley listens on "):
                self.address = line.split()[-1]
                return True
        return False

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException), Api(self.address, None) as api:
            return api.call("GET", "/readyz").status == HTTPStatus.OK
        return False

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def operator_token(self) -> str:
        """The first start's operator token."""
        return (self.data_folder / "operator.token").read_text().strip()

    def operator(self) -> Api:
        """Return a connection as operator."""
        return Api(self.address, self.operator_token)

    def tenant(self, name: str, role: str = "submitter") -> str:
        """Make sure the tenant exists and return a new token for it."""
        with self.operator() as operator:
            assert operator.call("POST", "/v1/tenants", {"name": name}).status in (201, 409)
            asked = {"name": f"test-{time.monotonic_ns()}", "role": role, "tenant": name}
            token: str = operator.want(201, "POST", "/v1/tokens", asked)["secret"]
            return token

    def exit_status(self) -> int | None:
        """Return how the server ended, None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def end(self, number: signal.Signals) -> int | None:
        """End the server with a signal; return its exit status, None where it was never started."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def ended(self) -> int:
        """Wait until it has ended by itself; return its exit status."""
        assert self._process is not None
        return self._process.wait(START_WITHIN_S)

    def kill(self) -> None:
        """End the server with SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_WITHIN_S)

    def stop(self) -> int:
        """End the server with SIGTERM; return its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_WITHIN_S)


@contextlib.contextmanager
def server_on_the_mixed_cluster(folder: Path) -> Iterator[ServerProcess]:
    """Run a server on the demonstration's cluster for as long as the block lasts; nothing of it may be left then."""
    server = ServerProcess(folder / "data", ROOT / "examples" / "clusters" / "mixed.yaml")
    server.start()
    yield server
    server.stop()
    assert strays(server.data_folder) == []


def strays(data_folder: Path) -> list[int]:
    """Return the processes that belong to workers of a data folder, found by their environment or command line."""
    mark = str(data_folder).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes() or mark in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found
