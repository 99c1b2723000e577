"""Programs that a test run starts, each in a session of its own; none outlives the run, however that ends."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

from tests.builders.eventually import eventually

STOP_TIMEOUT_S = 10.0
LOG_TAIL_BYTES = 4000
PORTS = range(20_000, 30_000)
"""Below the range from which the kernel takes ports for outgoing connections: a port stays free over a restart."""

_WAIT_TO_BE_KNOWN = 'read -r _ && exec "$@" </dev/null'
"""A program starts only once the guardian knows of it: there is no moment at which a kill leaves it behind."""


class NotReady(Exception):
    """A program did not do what was waited for; the message has the end of its log."""


class Guardian:
    """The process that clears up after this one. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        program = str(Path(__file__).with_name("guardian.py"))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def tell(self, word: str, value: int | Path) -> None:
        """Name a process group that runs (`group`) or has ended (`ended`), or a `folder` to remove."""
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(f"{word} {value}\n")
            self._process.stdin.flush()


@cache
def guardian() -> Guardian:
    """Return the guardian of this process."""
    return Guardian()


def spawn(
    arguments: Sequence[str],
    *,
    output: IO[bytes] | int,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as the leader of a session of its own, output and errors in one; `reap` it when it has ended."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", _WAIT_TO_BE_KNOWN, Path(arguments[0]).name, *arguments],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment,
        cwd=folder,
    )
    assert process.stdin is not None
    guardian().tell("group", process.pid)
    with suppress(BrokenPipeError), process.stdin:
        process.stdin.write(b"go\n")
    return process


def reap(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a program, kill what it left in its group, and return its exit status."""
    status = process.wait()
    signal_group(process, signal.SIGKILL)
    guardian().tell("ended", process.pid)
    return status


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a program and all in its group; one that is gone does not matter."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def free_ports(count: int) -> list[int]:
    """Return loopback ports that nobody listens on now."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise NotReady(f"fewer than {count} ports of 127.0.0.1 are free in {PORTS}")


class Program:
    """A program that serves until it is stopped; it can be started again with the same arguments."""

    def __init__(self, arguments: Sequence[str], *, log: Path) -> None:
        self.name = Path(arguments[0]).name
        self.log = log
        self._arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process' number, None where it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.pid is None:
            self._forget()
            with self.log.open("ab") as log:
                self._process = spawn(self._arguments, output=log)

    def wait_until(self, is_ready: Callable[[], bool], *, within_s: float) -> None:
        """Wait for something that the program does. Raises NotReady, at once where the program has ended."""

        def look() -> bool:
            if self.pid is None:
                raise NotReady(f"{self.name} has ended. {self._tail()}")
            return is_ready()

        try:
            eventually(look, within_s=within_s, what=f"{self.name} to be ready")
        except AssertionError as error:
            raise NotReady(f"{error}. {self._tail()}") from error

    def stop(self) -> None:
        """Ask it to end, kill it if it does not, and wait for that."""
        if self._process is not None:
            signal_group(self._process, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT_S)
        self.kill()

    def kill(self) -> None:
        """Kill it and wait for its end."""
        if self._process is not None:
            signal_group(self._process, signal.SIGKILL)
        self._forget()

    def pause(self) -> None:
        """Stop its work without its end: connections stay open, nothing is answered."""
        assert self._process is not None
        signal_group(self._process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        assert self._process is not None
        signal_group(self._process, signal.SIGCONT)

    def _forget(self) -> None:
        if self._process is not None:
            reap(self._process)
            self._process = None

    def _tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - LOG_TAIL_BYTES))
            return f"The end of {self.log}:\n{log.read().decode(errors='replace')}"
