"""Debian's slurmctld on loopback, in a folder of its own, without slurmd: its nodes start up for ever."""

import getpass
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROGRAMS = {"slurmctld": "slurmctld", "sbatch": "slurm-client", "scontrol": "slurm-client", "sdiag": "slurm-client"}
"""What it takes, and the Debian package of each."""
SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
BACKFILL_THREAD = "bckfl"
CALL_LIMIT_S = 120.0
START_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0
LOOK_EVERY_S = 2.0
"""Seldom: each look takes a lock that the cycle wants too."""
_SECTION = re.compile(r"^Backfilling stats(?P<unfinished> \(WARNING.*)?$(?P<lines>(?:\n\t.*)*)", re.MULTILINE)
_STARTED = re.compile(r"^Jobs started:\s+(?P<number>\d+)$", re.MULTILINE)
_LINE = re.compile(r"^\t(?P<name>[^:]+):\s+(?P<number>\d+)", re.MULTILINE)


class SlurmMissing(Exception):
    """Slurm is not installed; says which packages are missing."""


class SlurmFailed(Exception):
    """Slurm did not do what it was told, or not in time; says what it printed."""


@dataclass(frozen=True, slots=True)
class Backfilling:
    """What `sdiag` says of the cycles of backfill."""

    cycle_us: int
    """The latest that ended, without what it slept so that others have their turn."""
    depth: int
    """How many jobs the latest looked at, also one that goes on still."""
    started: int
    """Jobs, since the controller runs: by backfill, or by the main scheduler as they came."""
    is_going_on: bool


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of backfill over all who wait."""

    jobs: int
    us: int
    """As Slurm itself says."""
    processor_us: float
    """What its thread had of a processor: on a machine that others use, less than the time that passed."""
    started: int

    @property
    def job_us(self) -> float:
        """What a job takes, by whichever of the two is less."""
        return min(float(self.us), self.processor_us) / self.jobs


def read_backfilling(text: str) -> Backfilling:
    """Return what the output of `sdiag` says. Raises SlurmFailed where it says nothing of backfill."""
    section, started = _SECTION.search(text), _STARTED.search(text)
    numbers = {} if section is None else {found["name"]: int(found["number"]) for found in _LINE.finditer(section[0])}
    if section is None or started is None or "Last depth cycle" not in numbers:
        raise SlurmFailed(f"sdiag says nothing of backfill:\n{text[:2_000]}")
    return Backfilling(
        cycle_us=numbers.get("Last cycle", 0),
        depth=numbers["Last depth cycle"],
        started=int(started["number"]),
        is_going_on=section["unfinished"] is not None,
    )


def require_slurm() -> None:
    """Raise SlurmMissing unless all its programs are there."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]
    if missing:
        packages = " ".join(sorted({PROGRAMS[name] for name in missing}))
        raise SlurmMissing(
            f"{', '.join(missing)} not found: install Slurm with `apt-get install --no-install-recommends {packages}`, "
            "or leave --slurm out"
        )


def configuration(folder: Path, port: int, nodes: Iterable[str], scheduler: Mapping[str, str]) -> str:
    """Return the text of slurm.conf: the nodes as its lines name them, and parameters of the scheduler.

    A processor stands for a device, so that Slurm has one thing to count. Nodes of the cloud need no slurmd: what is
    placed on them waits for them to start, which they never do.
    """
    settings = {
        "ClusterName": "bench",
        "SlurmctldHost": f"{socket.gethostname()}(127.0.0.1)",
        "SlurmctldPort": port,
        "CommunicationParameters": "NoCtldInAddrAny",
        "SlurmUser": getpass.getuser(),
        "AuthType": "auth/none",
        "CredType": "cred/none",
        "MpiDefault": "none",
        "ProctrackType": "proctrack/pgid",
        "TaskPlugin": "task/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_CPU",
        "SchedulerType": "sched/backfill",
        "SchedulerParameters": ",".join(f"{name}={value}" if value else name for name, value in scheduler.items()),
        "PriorityType": "priority/basic",
        "AccountingStorageType": "accounting_storage/none",
        "JobAcctGatherType": "jobacct_gather/none",
        "SlurmctldPidFile": folder / "pid",
        "StateSaveLocation": folder / "state",
        "SlurmctldLogFile": folder / "log",
        "ResumeProgram": "/bin/true",
        "SuspendProgram": "/bin/true",
        "SuspendTime": 3_600,
        "ResumeTimeout": 65_000,
        "MaxJobCount": 100_000,
        "MessageTimeout": 100,
    }
    partition = "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
    return "\n".join([*(f"{name}={value}" for name, value in settings.items()), *nodes, partition, ""])


class Controller:
    """A slurmctld; use as `with Controller(...) as slurm`. It ends with the block, and leaves nothing behind."""

    def __init__(self, nodes: Sequence[str], scheduler: Mapping[str, str]) -> None:
        """Start it. Raises SlurmFailed."""
        self._folder = tempfile.TemporaryDirectory(prefix="medley-bench-slurm-")
        folder = Path(self._folder.name)
        (folder / "state").mkdir()
        written = folder / "slurm.conf"
        written.write_text(configuration(folder, _free_port(), nodes, scheduler))
        self._log = folder / "log"
        self._environment = {"PATH": SEARCHED, "SLURM_CONF": str(written)}
        self._process = subprocess.Popen(
            [_program("slurmctld"), "-D", "-f", str(written)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.close()
            raise

    def submit(self, *options: str) -> None:
        """Hand in a job. Raises SlurmFailed."""
        self._call("sbatch", "--quiet", "--output=/dev/null", "--wrap=true", *options)

    def open(self, *, is_open: bool) -> None:
        """Let jobs be placed from now on, or let them wait. Raises SlurmFailed."""
        self._call("scontrol", "update", "PartitionName=all", f"State={'UP' if is_open else 'DOWN'}")

    def backfilling(self) -> Backfilling:
        """Return what it says of its cycles. Raises SlurmFailed."""
        return read_backfilling(self._call("sdiag"))

    def wait_for_starts(self, jobs: int, *, within_s: float) -> None:
        """Wait until so many jobs were placed since it runs. Raises SlurmFailed."""
        limit_s = time.monotonic() + within_s
        while self.backfilling().started < jobs:
            self._go_on_before(limit_s, f"{jobs} jobs were not placed within {within_s:g} s")

    def cycle(self, jobs: int, *, within_s: float) -> Cycle:
        """Let jobs that wait be placed, and return the first cycle that looked at so many. Raises SlurmFailed."""
        before, processor_us, limit_s = self.backfilling(), self._processor_us(), time.monotonic() + within_s
        self.open(is_open=True)
        while (found := self.backfilling()).is_going_on or found.depth < jobs:
            self._go_on_before(limit_s, f"no cycle over {jobs} jobs ended within {within_s:g} s; the last is {found}")
        spent_us = self._processor_us() - processor_us
        return Cycle(found.depth, found.cycle_us, spent_us, found.started - before.started)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(OSError):
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_until_it_answers(self) -> None:
        limit_s = time.monotonic() + START_LIMIT_S
        while True:
            try:
                self.backfilling()
                return
            except SlurmFailed as error:
                self._go_on_before(limit_s, f"slurmctld does not answer: {error}")

    def _go_on_before(self, limit_s: float, complaint: str) -> None:
        if self._process.poll() is not None:
            raise SlurmFailed(f"slurmctld ended with {self._process.returncode}:\n{self._last_lines()}")
        if time.monotonic() > limit_s:
            raise SlurmFailed(f"{complaint}\n{self._last_lines()}")
        time.sleep(LOOK_EVERY_S)

    def _last_lines(self) -> str:
        return self._log.read_text("utf-8", "replace")[-2_000:] if self._log.exists() else ""

    def _call(self, program: str, *options: str) -> str:
        try:
            done = subprocess.run(
                [_program(program), *options],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                timeout=CALL_LIMIT_S,
                env=self._environment,
            )
        except subprocess.TimeoutExpired as error:
            raise SlurmFailed(f"{program} took longer than {CALL_LIMIT_S:g} s") from error
        except subprocess.CalledProcessError as error:
            raise SlurmFailed(f"{program} ended with {error.returncode}: {error.stderr.strip()[-500:]}") from error
        return done.stdout

    def _processor_us(self) -> float:
        """Return the processor time of the thread that backfills, so far."""
        return sum(thread_processor_us(self._process.pid, BACKFILL_THREAD))


def thread_processor_us(pid: int, name: str) -> list[float]:
    """Return the processor time so far of each thread of a process that has a name, in microseconds."""
    tasks = Path("/proc", str(pid), "task").iterdir()
    named = [task for task in tasks if (task / "comm").read_text().strip() == name]
    return [int((task / "schedstat").read_text().split()[0]) / 1e3 for task in named]


def _program(name: str) -> str:
    found = shutil.which(name, path=SEARCHED)
    if found is None:
        raise SlurmMissing(f"{name} not found")
    return found


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
