"""`python -m medley_runtime run -- COMMAND`: a command with the gang's variables, and heartbeats of its own.

Outside of Medley the command is alone in its gang and this process becomes it, so that the same line works anywhere. In
Medley rank 0's command is a child of this process, which beats for it, passes signals on, and ends as it does; the
commands of the other ranks take this process's place.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Callable, NoReturn

from medley_runtime.api_client import ApiClient
from medley_runtime.endings import CommandNotExecutable, CommandNotFound, Ending
from medley_runtime.heartbeats.heart import Gauges, Heart
from medley_runtime.heartbeats.memory import tree_memory_mib
from medley_runtime.job.session import BEATEN_VARIABLE
from medley_runtime.launch import LAUNCH_VARIABLE, Launch, read_launch
from medley_runtime.output import warn_line
from medley_runtime.regrouping.generation import regrouped
from medley_runtime.user_command import LOOPBACK, become, command_variables

USAGE = "usage: python -m medley_runtime run -- COMMAND [ARGUMENT...]"
BAD_USAGE = 2
STOPPED = 143
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
LEAST_PAUSE_S = 5.0
"""Between heartbeats that only say that the command lives; what it reports itself, it reports sooner."""


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command; return what this process is to exit with. A command that takes its place never returns."""
    argv = list(arguments[1:] if arguments[:1] == ["--"] else arguments)
    if not argv or not argv[0]:
        warn_line(USAGE)
        return BAD_USAGE
    try:
        if not environment.get(LAUNCH_VARIABLE):
            become(argv, {**_lone_variables(environment), **environment})
        launch = regrouped(read_launch(environment), environment)
        variables = {**environment, **_gang_variables(launch, environment)}
        if launch.in_program.rank > 0:
            become(argv, variables)
        relay = Relay()
        return end_as(watch(launch, argv, variables, relay), relay)
    except Ending as ending:
        warn_line(str(ending))
        return ending.exit_code


def _lone_variables(environment: Mapping[str, str]) -> dict[str, str]:
    variables = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": LOOPBACK}
    if "MASTER_PORT" not in environment:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            variables["MASTER_PORT"] = str(probe.getsockname()[1])
    return variables


def _gang_variables(launch: Launch, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the gang's variables; as the command of a job, this process has them already."""
    has_them = environment.get("MEDLEY_ATTEMPT") == launch.attempt and "MASTER_PORT" in environment
    return {} if has_them else command_variables(launch)


def watch(
    launch: Launch,
    argv: list[str],
    variables: Mapping[str, str],
    relay: Relay,
    *,
    on_called: Callable[[int], None] | None = None,
) -> int:
    """Run a command to its end, rank 0's with heartbeats; return its exit code, minus the signal that ended it.

    `on_called` hears when the gang is called to another generation; where nobody listens, the command alone is beaten
    for as seldom as it may be. Raises CommandNotFound, CommandNotExecutable.
    """
    # A group of its own: a signal to this process's group reaches the command once, by us, and not twice.
    child = _start(argv, {**variables, BEATEN_VARIABLE: "1"})
    relay.begin(child.pid)
    heart = None
    if launch.in_program.rank == 0:
        gauges = Gauges(memory_mib=lambda: tree_memory_mib(child.pid))
        client = ApiClient(launch.api_url, launch.token, _swallow)
        heart = Heart(launch, client, gauges=gauges, least_pause_s=LEAST_PAUSE_S, on_called=on_called or _ignore)
    try:
        return child.wait()
    finally:
        relay.end()
        if heart is not None:
            heart.close()


def end_as(code: int, relay: Relay) -> int:
    """Return what to exit with after a command that did; where a signal ended it, end by the same one."""
    if code < 0:
        _end_by(-code)
    # Who was asked to end and did has not done all of its work, whatever it says.
    return STOPPED if code == 0 and relay.has_stopped else code


class Relay:
    """Passes signals on to a process group, those that came before it was there as well."""

    def __init__(self) -> None:
        self.has_stopped = False
        self._group: int | None = None
        self._early: list[int] = []
        for number in PASSED_ON:
            signal.signal(number, self._hear)

    def begin(self, group: int) -> None:
        """Pass signals on to this group from now on."""
        self._group = group
        for number in self._early:
            self._pass(number)

    def end(self) -> None:
        """Pass nothing on until there is another group."""
        self._group = None

    def tell(self, number: int) -> None:
        """Send the group a signal of our own."""
        self._pass(number)

    def _hear(self, number: int, _frame: object) -> None:
        self.has_stopped = self.has_stopped or number in (signal.SIGTERM, signal.SIGINT)
        self._early.append(number) if self._group is None else self._pass(number)

    def _pass(self, number: int) -> None:
        if self._group is not None:
            with suppress(ProcessLookupError):  # it has ended
                os.killpg(self._group, number)


def _start(argv: list[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(argv, env=dict(variables), preexec_fn=os.setpgrp)  # noqa: S603, PLW1509 - no threads yet
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CommandNotFound(f"the command {argv[0]!r} was not found ({error.strerror})") from error
    except (OSError, ValueError) as error:
        raise CommandNotExecutable(f"the command {argv[0]!r} cannot be executed ({error})") from error


def _end_by(number: int) -> NoReturn:
    """End as the command did, by the same signal."""
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _ignore(generation: int) -> None:
    """Go on: the size of this gang is fixed."""


def _swallow(text: str) -> None:
    """Say nothing: the heart tells of trouble once."""
