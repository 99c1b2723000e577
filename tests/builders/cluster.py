"""Orders, nodes and clusters for tests, and a way to wait for what takes time."""

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from scheduler.adapters.local.cluster import LocalCluster
from scheduler.adapters.memory.clock import ManualClock
from scheduler.adapters.memory.cluster import FakeCluster
from scheduler.adapters.memory.fake_worker import Behaviour
from scheduler.core.model.attempt import Allocation, SeenWorker, WorkerPhase
from scheduler.core.model.identifiers import AttemptId, WorkerKey
from scheduler.core.model.job import AnyOf, CommandProgram, Job, JobKind, JobSpec, Serving, WorkerRole
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.resources import WorkerShape
from scheduler.ports.cluster import ClusterPort, GangOrder
from tests.builders.eventually import eventually

PROGRAM = Path(__file__).with_name("worker_program.py")
START = datetime(2026, 1, 1, tzinfo=UTC)
ATTEMPT = "0a1b2c3d4e5f6g7h-g0-a1"
LAUNCHER = "launcher"
FIRST_WORKER = WorkerKey(ATTEMPT, 0)
PATIENCE_S = 30.0
OVER = (WorkerPhase.EXITED, WorkerPhase.LOST)


def node(name: str = "n1", *, devices: int = 8) -> Node:
    """Build a node of cluster `test`."""
    return Node("test", name, (DeviceGroup("h100-sxm", devices, 81920),), 64_000, 262_144, pods=110)


def order(*steps: str, workers: int = 1, attempt: AttemptId = ATTEMPT, memory_mib: int = 4096) -> GangOrder:
    """Build the order of a gang whose workers do the steps of worker_program."""
    spec = JobSpec(
        name="test",
        kind=JobKind.TRAINING,
        workers=workers,
        shape=WorkerShape(devices=1, cpu_milli=1000, memory_mib=memory_mib),
        chips=AnyOf(("h100-sxm",)),
        program=CommandProgram(steps),
    )
    return GangOrder(
        job=Job("0a1b2c3d4e5f6g7h", "demo", spec, submitted_by="ada", submitted_at=START),
        attempt=attempt,
        number=1,
        generation=1,
        allocations=tuple(
            Allocation(rank, "test/n1", "h100-sxm", (rank,), 1000, memory_mib) for rank in range(workers)
        ),
        torch_devices=("cuda",) * workers,
        api_url="http://127.0.0.1:8080",
        token="a-token",
    )


def with_launcher(given: GangOrder, *steps: str) -> GangOrder:
    """Return the order with one more rank, which needs no devices; without steps of its own it does the others'."""
    program = CommandProgram(steps) if steps else None
    role = WorkerRole(LAUNCHER, 1, WorkerShape(0, 500, 1024), chips=(), program=program)
    rank = len(given.allocations)
    return replace(
        given,
        job=replace(given.job, spec=replace(given.job.spec, roles=(role,))),
        allocations=(*given.allocations, Allocation(rank, "test/n1", None, (), 500, 1024, role=LAUNCHER)),
        torch_devices=(*given.torch_devices, "cpu"),
    )


def serving(given: GangOrder, *, port: int = 8000, readiness_path: str | None = "/ready") -> GangOrder:
    """Return the order as that of a server's replica."""
    spec = replace(given.job.spec, kind=JobKind.INFERENCE, serving=Serving(port, readiness_path))
    return replace(given, job=replace(given.job, spec=spec))


def with_shares(given: GangOrder, *, share_milli: int, share_memory_mib: int) -> GangOrder:
    """Return the order with a share of its own device for each of its ranks."""
    shape = replace(given.job.spec.shape, devices=0, share_milli=share_milli, share_memory_mib=share_memory_mib)
    return replace(
        given,
        job=replace(given.job, spec=replace(given.job.spec, shape=shape)),
        allocations=tuple(
            replace(one, share_milli=share_milli, share_memory_mib=share_memory_mib) for one in given.allocations
        ),
    )


def counted(given: GangOrder) -> GangOrder:
    """Return the order as it is where the cluster picks the devices."""
    allocations = (replace(one, slots=(), counted=len(one.slots)) for one in given.allocations)
    return replace(given, allocations=tuple(allocations))


def with_limits(given: GangOrder, *, time_limit_s: int, grace_s: int) -> GangOrder:
    """Return the order with a run time limit."""
    spec = replace(given.job.spec, time_limit_s=time_limit_s, grace_s=grace_s)
    return replace(given, job=replace(given.job, spec=spec))


def local_cluster(data: Path, *, command: Sequence[str] = (sys.executable, "-I", "-S", str(PROGRAM))) -> LocalCluster:
    """Build a local cluster whose workers run worker_program, or another command."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "SECRET": "of the server"}
    return LocalCluster("test", [node()], data, runtime_command=tuple(command), server_environment=environment)


def scripted(given: GangOrder, rank: int) -> Behaviour:
    """Read the steps of worker_program as the script of a fake worker; `wait` and `exit` end it."""
    own = {role.name: role.program for role in given.job.spec.roles}
    program = own.get(given.allocations[rank].role) or given.job.spec.program
    assert isinstance(program, CommandProgram)
    steps = iter(program.argv)
    behaviour = Behaviour(runs_s=0.0)
    for step in steps:
        if step == "print":
            behaviour = replace(behaviour, output=f"{behaviour.output}{next(steps)}\n")
        elif step == "stubborn":
            behaviour = replace(behaviour, grace_used_s=math.inf, output=f"{behaviour.output}stubborn\n")
        elif step == "wait":
            behaviour = replace(behaviour, runs_s=math.inf)
        elif step == "exit":
            behaviour = replace(behaviour, exit_code=int(next(steps)))
        else:
            raise ValueError(step)
    return behaviour


@dataclass(frozen=True)
class Bench:
    """A cluster under test. Its time passes by looking: the fake's clock goes on with every look."""

    cluster: ClusterPort
    pass_time: Callable[[], None]

    def seen(self, attempt: AttemptId = ATTEMPT) -> list[SeenWorker]:
        """Return what is seen of an attempt now."""
        self.pass_time()
        return [worker for worker in self.cluster.observe() if worker.key.attempt == attempt]

    def running(self, attempt: AttemptId = ATTEMPT) -> list[SeenWorker]:
        """Wait until all workers of an attempt run, and return them."""

        def look() -> list[SeenWorker]:
            seen = self.seen(attempt)
            return seen if all(worker.record.phase is WorkerPhase.RUNNING for worker in seen) else []

        return eventually(look, within_s=PATIENCE_S, what=f"all workers of {attempt} running")

    def first(self, phase: WorkerPhase, attempt: AttemptId = ATTEMPT) -> SeenWorker:
        """Wait until rank 0 of an attempt is in a phase, and return it."""

        def look() -> SeenWorker | None:
            found = [seen for seen in self.seen(attempt) if seen.key.rank == 0 and seen.record.phase is phase]
            return found[0] if found else None

        found = eventually(look, within_s=2 * PATIENCE_S, what=f"rank 0 is {phase}")
        assert found is not None
        return found

    def ended(self, attempt: AttemptId = ATTEMPT) -> list[SeenWorker]:
        """Wait until all workers of an attempt have ended, and return them."""

        def look() -> list[SeenWorker]:
            seen = self.seen(attempt)
            return seen if all(worker.record.phase in OVER for worker in seen) else []

        return eventually(look, within_s=PATIENCE_S, what=f"the end of {attempt}")

    def clear(self) -> None:
        """End every worker and let go of the cluster."""

        def is_clear() -> bool:
            self.pass_time()
            alive = [worker for worker in self.cluster.observe() if worker.record.phase not in OVER]
            for worker in alive:
                self.cluster.stop(worker.key.attempt, grace_s=0)
            return not alive

        eventually(is_clear, within_s=PATIENCE_S, what="the end of all workers")
        self.cluster.close()

    def printed(self, text: str, key: WorkerKey = FIRST_WORKER) -> str:
        """Wait until a worker has printed something, and return all it printed."""

        def look() -> str | None:
            self.pass_time()
            printed = self.cluster.logs(key, offset=0, limit=65536).text
            return printed if text in printed else None

        return eventually(look, within_s=PATIENCE_S, what=f"{text!r} in the output of {key.name}")


def local_bench(data: Path) -> Bench:
    """Build a local cluster, in real time."""
    return Bench(local_cluster(data), lambda: None)


def fake_bench() -> Bench:
    """Build a fake cluster, in its own time."""
    clock = ManualClock(START)
    return Bench(FakeCluster("test", [node()], clock=clock, script=scripted), lambda: clock.advance(0.25))


def is_gone(pid: int) -> bool:
    """Say whether a process is no more, or only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def open_files(pid: int) -> list[str]:
    """Return what a process has open, as the kernel names it."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(entry.readlink()))
    return found
