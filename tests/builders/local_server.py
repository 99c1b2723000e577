"""A process that drives a local cluster like a server does, to be killed: python -m tests.builders.local_server.

Arguments: MODE DATA_FOLDER WORKERS STEP...  It starts one gang, looks at it, prints `started` and waits. Modes:

    run                           nothing else
    run-for-a-second              with a time limit of one second
    die-before-spawning           kill itself when every folder is made and no supervisor runs
    run-with-few-files            with a low limit of open files
    run-with-few-files-for-good   with a low limit that it may not raise
"""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

from scheduler.adapters.local.spawning import spawn
from tests.builders.cluster import local_cluster, order, with_limits

FEW_FILES = 16
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def local_server(mode: str, data: Path, *steps: str, workers: int = 1) -> Iterator[subprocess.Popen[str]]:
    """Run such a process; at the end it is killed the hard way, its workers are not."""
    command = [sys.executable, "-m", "tests.builders.local_server", mode, str(data), str(workers), *steps]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_started(process: subprocess.Popen[str]) -> None:
    """Return when the gang is started."""
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"


def _die(_attempt_folder: Path, _ranks: Sequence[int]) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("the process was killed")


def _main(mode: str, data: str, workers: str, *steps: str) -> None:
    if mode.startswith("run-with-few-files"):
        most = FEW_FILES if mode.endswith("for-good") else resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, most))
    cluster = local_cluster(Path(data))
    given = order(*steps, workers=int(workers))
    if mode == "run-for-a-second":
        given = with_limits(given, time_limit_s=1, grace_s=60)
    with patch("scheduler.adapters.local.gangs.spawn", _die if mode == "die-before-spawning" else spawn):
        cluster.start(given)
    assert len(cluster.observe()) == int(workers)
    print("started", flush=True)  # noqa: T201 - what the test waits for
    signal.pause()


if __name__ == "__main__":
    _main(*sys.argv[1:])
