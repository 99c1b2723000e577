"""Servers that are forked from an interpreter which has loaded Medley already.

To load it takes seconds of a processor, and tests start hundreds of servers. From there on a forked one does what
`python -m medley` does. How that begins is tested where it counts: see `serve` in tests/integration/test_serve.py, the
second server in tests/faults, and the demonstration.
"""

import atexit
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn

_NUMBER = struct.Struct("i")
_LONGEST_ORDER = 1 << 20
_STOP_WITHIN_S = 10


class Forked:
    """One such process, with those methods of subprocess.Popen that tests use."""

    def __init__(self, said: int) -> None:
        """`said` is a pipe on which its id comes, and its exit status once it has ended."""
        self._said = said
        self._status: int | None = None
        self.pid: int = _NUMBER.unpack(os.read(said, _NUMBER.size))[0]

    def poll(self) -> int | None:
        """Return its exit status, as Popen does; None while it runs."""
        return self._heard(0)

    def wait(self, timeout_s: float | None = None) -> int:
        """Return its exit status once it has ended. Raises subprocess.TimeoutExpired."""
        status = self._heard(timeout_s)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout_s or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send it SIGKILL, unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def _heard(self, within_s: float | None) -> int | None:
        if self._status is None and select.select([self._said], [], [], within_s)[0]:
            self._status = _NUMBER.unpack(os.read(self._said, _NUMBER.size))[0]
            os.close(self._said)
        return self._status


class Order(NamedTuple):
    """What is to be started."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]


def start(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: BinaryIO) -> Forked:
    """Start `medley ARGUMENTS` in a folder and a session of its own, with nothing to read."""
    order = json.dumps(Order(list(arguments), str(folder), dict(environment)))
    said, tells = os.pipe()
    try:
        socket.send_fds(_interpreter(), [order.encode()], [output.fileno(), tells])
    finally:
        os.close(tells)
    return Forked(said)


@cache
def _interpreter() -> socket.socket:
    """Return the way to the interpreter of this test run."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen([sys.executable, "-m", __name__], stdin=theirs.fileno(), start_new_session=True)

    def end() -> None:
        ours.close()
        process.wait(_STOP_WITHIN_S)

    atexit.register(end)
    return ours


def _take_orders() -> None:
    """Load Medley; start a process for each order, until nobody is there any more who gives one."""
    import medley.main  # noqa: F401, PLC0415 - by the interpreter alone
    import scheduler.main  # noqa: F401, PLC0415 - as above

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=os.dup(0)) as orders:
        while True:
            order, descriptors, _, _ = socket.recv_fds(orders, _LONGEST_ORDER, 2)
            if not order:
                return
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                orders.detach()
                _keep(Order(*json.loads(order)), *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)


def _keep(order: Order, output: int, tells: int) -> None:
    """Start the process and wait for its end; returns, in that process itself, once it is over."""
    child = os.fork()
    if child == 0:
        _become(order, output)
    os.write(tells, _NUMBER.pack(child))
    _, status = os.waitpid(child, 0)
    os.write(tells, _NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _become(order: Order, output: int) -> NoReturn:
    """Be what `python -m medley` is."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    sys.argv[1:] = order.arguments
    runpy.run_module("medley", run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    _take_orders()
