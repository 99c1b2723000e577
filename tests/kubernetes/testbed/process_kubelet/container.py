"""One container: a process in a session of its own."""

import http.client
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.kubernetes.testbed.process_kubelet.logs import ContainerLog
from tests.kubernetes.testbed.processes import reap, signal_group, spawn

READ_BYTES = 65_536
LAST_WORDS_S = 2.0
"""How long output is read after the end, where a process that left both its session and its environment holds it."""
MARK = "TESTBED_CONTAINER"
"""A variable that all processes of a container inherit, so that those that left its session are found."""


class Container:
    """A process, its log, and its state in the words of the API."""

    def __init__(self, document: Mapping[str, Any], mark: str, on_end: Callable[[], None]) -> None:
        self.name = str(document["name"])
        self.log = ContainerLog()
        self.waiting = {"reason": "ContainerCreating"}
        self.was_out_of_memory = False
        self.probe: Mapping[str, Any] | None = document.get("readinessProbe")
        self.is_good = False
        """What its probe said last."""
        self._image = str(document.get("image", ""))
        self._mark = mark
        self._on_end = on_end
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = ""
        self._terminated: dict[str, Any] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process while it runs; also of its session."""
        return self._process.pid if self._process is not None and self._terminated is None else None

    @property
    def exit_code(self) -> int | None:
        """The exit code in a runtime's words, 128 + n for signal n; None before the end."""
        return None if self._terminated is None else int(self._terminated["exitCode"])

    def ask(self) -> None:
        """Probe once, by HTTP on this machine."""
        if self.probe is None or self.pid is None:
            return
        asked = self.probe["httpGet"]
        connection = http.client.HTTPConnection("127.0.0.1", int(asked["port"]), timeout=self.probe["timeoutSeconds"])
        try:
            connection.request("GET", str(asked["path"]))
            self.is_good = HTTPStatus.OK <= connection.getresponse().status < HTTPStatus.BAD_REQUEST
        except (OSError, http.client.HTTPException):
            self.is_good = False
        finally:
            connection.close()

    def start(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Start the process."""
        reader, writer = os.pipe()
        self._started_at = now()
        try:
            marked = {**environment, MARK: self._mark}
            self._process = spawn(command, output=writer, environment=marked, folder=folder)
        finally:
            os.close(writer)
        threading.Thread(target=self._live, args=(reader, self._process), name=self.name, daemon=True).start()

    def cannot_start(self, message: str) -> None:
        """Note that there is no such command."""
        at = now()
        times = {"startedAt": at, "finishedAt": at}
        self._terminated = {"exitCode": 128, "reason": "StartError", "message": message, **times}
        self.log.end()

    def terminate(self) -> None:
        """Ask the first process to end, as a runtime does."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End all processes."""
        if self._process is not None and self.pid is not None:
            signal_group(self._process, signal.SIGKILL)

    def status(self) -> dict[str, Any]:
        """Return the entry of the pod's status."""
        is_running = self.pid is not None
        if self._terminated is not None:
            state: dict[str, Any] = {"terminated": self._terminated}
        else:
            state = {"running": {"startedAt": self._started_at}} if is_running else {"waiting": self.waiting}
        return {
            "name": self.name,
            "image": self._image,
            "imageID": self._image if self._process else "",
            "containerID": f"process://{self._mark}-{self.name}" if self._process else "",
            "ready": is_running and (self.probe is None or self.is_good),
            "started": is_running,
            "restartCount": 0,
            "state": state,
        }

    def _live(self, reader: int, process: subprocess.Popen[bytes]) -> None:
        """Wait until the first process ends, clear up, and note the end."""
        pump = threading.Thread(target=self._pump, args=(reader,), name=f"{self.name}-output", daemon=True)
        pump.start()
        status = reap(process)
        kill_marked(self._mark)
        pump.join(LAST_WORDS_S)
        self.log.end()
        code = status if status >= 0 else 128 - status
        reason = "OOMKilled" if self.was_out_of_memory else ("Error" if code else "Completed")
        self._terminated = {
            "exitCode": code,
            "reason": reason,
            "startedAt": self._started_at,
            "finishedAt": now(),
            "containerID": f"process://{self._mark}-{self.name}",
        }
        self._on_end()

    def _pump(self, reader: int) -> None:
        while data := os.read(reader, READ_BYTES):
            self.log.write(data)
        os.close(reader)


def now() -> str:
    """Return the time as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def kill_marked(mark: str) -> None:
    """Kill all processes that carry a mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)


def resident_mib() -> dict[int, int]:
    """Return how much memory each session of this machine holds."""
    page = os.sysconf("SC_PAGE_SIZE")
    sessions: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                session, pages = int(fields[3]), int(fields[21])
                sessions[session] = sessions.get(session, 0) + pages * page
    return {session: size // (1024 * 1024) for session, size in sessions.items()}
