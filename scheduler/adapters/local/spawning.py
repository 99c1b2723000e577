"""Starting supervisors, all of a gang at once, and hearing what became of each."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from scheduler.adapters.local.descriptors import ordinary_limit
from scheduler.adapters.local.supervisor import __file__ as package_file
from scheduler.adapters.local.supervisor.records import CRASH

_SCRIPT = str(Path(package_file).with_name("__main__.py"))
_WAIT_S = 10.0
_READ_BYTES = 65536


class NoAnswer(Exception):
    """Supervisors did not answer in time; they may still start their workers."""


def spawn(attempt_folder: Path, ranks: Sequence[int]) -> dict[int, str]:
    """Start supervisors of an attempt; return, by rank, why its worker could not be started ("" where it was).

    A worker that runs or ran counts as started, and one whose attempt was asked to stop is left alone. Raises NoAnswer
    after 10 s, OSError (no process or descriptor to be had).
    """
    if not ranks:
        return {}
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    try:
        try:
            launcher = _launch(attempt_folder, ranks, write_end)
        finally:
            os.close(write_end)
        try:
            answers = _hear(read_end, time.monotonic() + _WAIT_S)
        finally:
            launcher.kill()  # it ended when all supervisors were made; what it did not make by now is not needed
            launcher.wait()
    finally:
        os.close(read_end)
    return {rank: answers[rank] if rank in answers else _crash(attempt_folder / str(rank)) for rank in ranks}


def _launch(attempt_folder: Path, ranks: Sequence[int], report: int) -> subprocess.Popen[bytes]:
    """Run the program that makes the supervisors; nothing of ours is open in it but the pipe for their answers."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [
            sys.executable,
            "-I",
            "-S",
            _SCRIPT,
            str(ordinary_limit()),
            str(attempt_folder),
            str(report),
            *map(str, ranks),
        ],
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


def _crash(folder: Path) -> str:
    """Return what a supervisor left that ended without an answer."""
    with suppress(OSError):
        return f"its supervisor failed: {(folder / CRASH).read_text(errors='replace').strip().splitlines()[-1]}"
    return "its supervisor ended before it answered"
