"""Small simulations: a few nodes, a handful of jobs, and either engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change, GroupMoved, GroupPlaced
from scheduler.core.model.chip import ChipType
from scheduler.core.model.group import State
from scheduler.core.model.job import AnyOf, CommandProgram, JobKind, JobSpec
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.tenant import Quota
from scheduler.core.model.topology import RACK, Topology
from scheduler.simulator.lives import Lives
from scheduler.simulator.recording import Digest
from scheduler.simulator.simulation import NodesChange, Progress, Simulation
from scheduler.simulator.stepping.core_engine import CoreEngine
from scheduler.simulator.stepping.engine import START, Engine, Setting
from scheduler.simulator.stepping.service_engine import ServiceEngine
from scheduler.simulator.workloads.arrival import Arrival, Life
from tests.builders.database import make_chip

ENGINES = {"core": CoreEngine, "services": ServiceEngine}
CHIPS = ("fast", "slow")
TENANTS = ("alpha", "beta")


def make_nodes(count: int = 4, *, devices: int = 8) -> tuple[Node, ...]:
    """Return nodes, half of them of each chip type, two in a rack."""
    return tuple(
        Node(
            cluster="sim",
            name=f"n{number:02}",
            devices=(DeviceGroup(CHIPS[number * 2 // count], devices, 81_920),),
            cpu_milli=128_000,
            memory_mib=1_048_576,
            pods=110,
            topology=Topology(((RACK, f"r{number // 2}"),)),
        )
        for number in range(count)
    )


def make_setting(nodes: Sequence[Node] = (), *, quotas: tuple[Quota, ...] = ()) -> Setting:
    """Return what there is: four nodes, unless others are given."""
    return Setting("sim", tuple(nodes) or make_nodes(), catalogue(), TENANTS, quotas)


def catalogue() -> tuple[ChipType, ...]:
    """Return both chip types."""
    return tuple(make_chip(name) for name in CHIPS)


def arrival(
    at_s: float = 0.0,
    *,
    run_s: float = 100.0,
    workers: int = 1,
    devices: int = 8,
    chips: tuple[str, ...] = CHIPS,
    tenant: str = "alpha",
    limit_s: int | None = None,
    retries: int = 0,
    priority: int = 0,
    life: Life | None = None,
) -> Arrival:
    """Return a job that comes."""
    spec = JobSpec(
        name="train",
        kind=JobKind.TRAINING,
        workers=workers,
        shape=WorkerShape(devices, 1_000, 1_024),
        chips=AnyOf(chips),
        program=CommandProgram(("true",)),
        time_limit_s=limit_s,
        retries=retries,
        priority=priority,
    )
    return Arrival(at_s, tenant, "someone", spec, life or Life(run_s))


def crowd(seed: int, count: int = 60) -> list[Arrival]:
    """Return jobs of all sorts that ask for more than there is."""
    random = Random(seed)
    at_s = 0.0
    jobs = []
    for _ in range(count):
        at_s += random.expovariate(1 / 20)
        life = Life(
            random.uniform(50, 900),
            start_up_s=random.choice((0.0, 20.0)),
            failure_chance=random.choice((0.0, 0.4)),
            saved_every_s=random.choice((None, 60.0)),
            speeds=(("slow", 0.5),),
        )
        jobs.append(
            arrival(
                at_s,
                workers=random.choice((1, 1, 2, 4)),
                devices=random.choice((1, 4, 8)),
                chips=random.choice((("fast",), CHIPS, ("slow", "fast"))),
                tenant=random.choice(TENANTS),
                limit_s=random.choice((None, 600, 1_200)),
                retries=random.choice((0, 2)),
                priority=random.choice((0, 0, 5)),
                life=life,
            )
        )
    return [one for one in jobs if one.spec.workers * one.spec.shape.devices <= 16]


@dataclass
class Ran:
    """What a simulation did."""

    progress: Progress
    digest: str
    seen: list[tuple[int, str, State]] = field(default_factory=list)
    """When which job came to which state."""

    def times(self, state: State, job: int = 1) -> list[int]:
        """Return when a job, counted from 1, came to a state."""
        return [at_s for at_s, name, reached in self.seen if name == f"{job:016d}" and reached is state]

    def last(self, job: int = 1) -> State:
        """Return what a job is in the end."""
        return [reached for _, name, reached in self.seen if name == f"{job:016d}"][-1]


def simulate(
    engine: str,
    arrivals: Iterable[Arrival],
    *,
    setting: Setting | None = None,
    node_changes: Iterable[NodesChange] = (),
    seed: int = 1,
    until_s: int | None = None,
) -> Ran:
    """Run a simulation to its end."""
    lives, digest = Lives(seed), Digest()
    seen: list[tuple[int, str, State]] = []

    def note(change: Change, _state: SchedulerState) -> None:
        if isinstance(change.body, GroupPlaced | GroupMoved):
            at_s = int((change.at - START).total_seconds())
            seen.append((at_s, change.body.group.job_id, change.body.group.state))

    chosen: Engine = ENGINES[engine](setting or make_setting(), lives, (digest.follow, note))
    try:
        progress = Simulation(chosen, arrivals, node_changes, until_s).run()
    finally:
        chosen.close()
    return Ran(progress, digest.hexdigest(), seen)
