"""Starting supervisors, all of a gang at once, and hearing what became of each."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from scheduler.adapters.local.supervisor import __file__ as package_file
from scheduler.adapters.local.supervisor.records import CRASH

_SCRIPT = str(Path(package_file).with_name("__main__.py"))
_WAIT_S = 10.0
_READ_BYTES = 65536


class NoAnswer(Exception):
    """Supervisors did not answer in time; they may still start their workers."""


def spawn(folders: Sequence[Path]) -> dict[int, str]:
    """Start the supervisors of worker folders; return, by rank, why a worker could not be started ("" where it was).

    A worker that runs or ran counts as started, and one whose attempt was asked to stop is left alone. Raises NoAnswer
    after 10 s, OSError (no process or descriptor to be had).
    """
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    launchers: list[subprocess.Popen[bytes]] = []
    try:
        try:
            launchers += (_spawn_one(folder, write_end) for folder in folders)
        finally:
            os.close(write_end)
        answers = _hear(read_end, time.monotonic() + _WAIT_S)
    finally:
        os.close(read_end)
        for launcher in launchers:
            _reap(launcher)
    return {int(folder.name): answers.get(int(folder.name), _crash(folder)) for folder in folders}


def _spawn_one(folder: Path, report: int) -> subprocess.Popen[bytes]:
    """Start one, in a session of its own and without anything of ours but the pipe for its answer."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", _SCRIPT, str(folder), str(report)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        pass_fds=(report,),
        start_new_session=True,
    )


def _hear(read_end: int, give_up_s: float) -> dict[int, str]:
    """Read answers until every supervisor has let go of the pipe. Raises NoAnswer."""
    content = b""
    poll = select.poll()
    poll.register(read_end, select.POLLIN)
    while True:
        if not poll.poll(max(0.0, give_up_s - time.monotonic()) * 1000):
            raise NoAnswer
        read = os.read(read_end, _READ_BYTES)
        if not read:
            break
        content += read
    answers: dict[int, str] = {}
    for line in content.decode(errors="replace").splitlines():
        rank, _, error = line.partition(" ")
        answers[int(rank)] = error
    return answers


def _reap(launcher: subprocess.Popen[bytes]) -> None:
    """Collect a launcher, which ended when it had made its supervisor; one that did not get so far is not needed."""
    launcher.kill()
    launcher.wait()


def _crash(folder: Path) -> str:
    """Return what a supervisor left that ended without an answer."""
    with suppress(OSError):
        return f"its supervisor failed: {(folder / CRASH).read_text(errors='replace').strip().splitlines()[-1]}"
    return "its supervisor ended before it answered"
