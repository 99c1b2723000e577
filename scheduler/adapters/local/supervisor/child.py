"""The worker's first process: made, held back until its record is written, then let go."""

import os
import signal

from scheduler.adapters.local.supervisor.processes import die_with_parent
from scheduler.adapters.local.supervisor.records import Plan

HANDLED = (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that a supervisor, or Python itself, treats in its own way; a worker gets them as the system means them."""

_COULD_NOT_RUN = 127


class CouldNotRun(Exception):
    """The worker's program could not be run; nothing of it did."""


class Child:
    """A worker's first process, leader of a session and process group of its own."""

    __slots__ = ("_gate", "_verdict", "output", "pid")

    def __init__(self, plan: Plan, working_directory: str) -> None:
        """Make the process, which waits; it dies with its maker at any time."""
        self.output, output = os.pipe()
        gate, self._gate = os.pipe()
        self._verdict, verdict = os.pipe()
        maker = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._gate)
            try:
                _wait_at(gate, maker)
                _become(plan, working_directory, output)
            except BaseException as error:  # noqa: BLE001 - whatever it is, its place is the verdict
                os.write(verdict, str(error).encode(errors="replace")[:1000])
            finally:
                os._exit(_COULD_NOT_RUN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        for descriptor in (gate, verdict, output):
            os.close(descriptor)

    def release(self) -> None:
        """Let the program run; returns when it does. Raises CouldNotRun."""
        os.write(self._gate, b"!")
        os.close(self._gate)
        with open(self._verdict, "rb") as verdict:
            error = verdict.read()
        if error:
            raise CouldNotRun(error.decode(errors="replace"))


def _wait_at(gate: int, maker: int) -> None:
    os.setsid()
    die_with_parent()
    if os.getppid() != maker or not os.read(gate, 1):
        os._exit(_COULD_NOT_RUN)


def _become(plan: Plan, working_directory: str, output: int) -> None:
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(working_directory)
    try:
        os.execvpe(plan.argv[0], plan.argv, plan.environment)
    except OSError as error:
        message = f"cannot run {plan.argv[0]}: {error.strerror}"
        raise CouldNotRun(message) from error
