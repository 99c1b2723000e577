"""What one process runs."""

import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from fastapi import FastAPI

from scheduler.adapters.telemetry.instruments import Instruments
from scheduler.loops.loop import Loop
from scheduler.ports.wake_up import WakeUp


@dataclass(slots=True)
class Server:
    """Everything that runs in one process."""

    app: FastAPI
    loops: Sequence[Loop]
    wake_up: WakeUp
    ending: threading.Event
    instruments: Instruments
    resources: ExitStack
    """Clusters, database, Redis, locks and instruments, closed in that order."""

    def start(self) -> None:
        """Start deciding and reconciling, or following, and answer scrapes of the metrics."""
        self.instruments.start()
        for loop in self.loops:
            loop.start()

    def announce_end(self) -> None:
        """Have streams end by themselves, so that nobody waits for their readers."""
        self.ending.set()
        self.wake_up.notify()

    def close(self, *, timeout_s: float) -> None:
        """Stop everything in order; workers go on and are adopted by the next start."""
        for loop in self.loops:
            loop.stop(timeout_s=timeout_s)
        self.resources.close()


def reachable_url(listener: socket.socket) -> str:
    """Return the URL under which processes of this machine reach a listening socket."""
    host, port = listener.getsockname()[:2]
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound
    host = loopback.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
