"""A worker whose first process runs as another user by now cannot be signalled, and is watched all the same."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from scheduler.adapters.local.supervisor.records import Ended, Limits, Plan, Started, write_stop
from tests.builders.cluster import PATIENCE_S
from tests.builders.eventually import eventually

ROOT = Path(__file__).resolve().parents[3]
SUPERVISOR = """
import os, sys
def refuse(group, number):
    with open(os.path.join(sys.argv[1], "refused-signals"), "a") as file:
        file.write(f"{int(number)} ")
    raise PermissionError
os.killpg = refuse
from scheduler.adapters.local.supervisor.supervise import main
main(sys.argv[1], os.dup(1))
"""


@pytest.mark.parametrize(("grace_s", "want_signals"), [(-1, {"9"}), (1000, {"15", "18"})])
def test_its_end_is_awaited_and_recorded(tmp_path: Path, grace_s: int, want_signals: set[str]) -> None:
    folder = tmp_path / "0"
    for path in (folder, folder / "output", folder / "scratch"):
        path.mkdir()
    argv = ["/bin/sh", "-c", "while [ ! -e gate ]; do sleep 0.02; done; exit 3"]
    limits = Limits(memory_mib=4096, time_limit_s=None, grace_s=1)
    Plan(argv, {"PATH": "/usr/bin:/bin"}, generation=1, limits=limits).write(str(folder))
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(folder)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as supervisor:
        eventually(lambda: Started.read(str(folder)), within_s=PATIENCE_S, what="the start")
        write_stop(str(tmp_path), time.monotonic() + grace_s)
        refused = folder / "refused-signals"
        eventually(
            lambda: refused.exists() and want_signals <= set(refused.read_text().split()),
            within_s=PATIENCE_S,
            what="the signals",
        )
        (folder / "scratch" / "gate").touch()
        _, complaint = supervisor.communicate(timeout=PATIENCE_S)

    ended = Ended.read(str(folder))
    assert ended is not None, complaint.decode()
    assert (ended.end, ended.exit_code) == ("stopped", 3)
