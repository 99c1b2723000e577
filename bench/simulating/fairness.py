"""Thirty virtual days of tenants who never have enough: what each gets of its due, and whether estimates hold."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.report import Limit, Measurement
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import Change, GroupPlaced
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import GroupId, TenantName
from scheduler.core.model.job import AnyOf, CommandProgram, JobKind, JobSpec
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import RACK, Topology
from scheduler.simulator.lives import Lives
from scheduler.simulator.observing import Observer
from scheduler.simulator.simulation import Progress, Simulation
from scheduler.simulator.stepping.core_engine import CoreEngine
from scheduler.simulator.stepping.engine import Numbered, Setting, seconds_until
from scheduler.simulator.workloads.arrival import Arrival, Life

GOALS = (Limit("worst_tenant", ">=", 0.95), Limit("estimates_within_factor_2", ">=", 0.5))
CLUSTER, CHIPS = "shared", ("chip-a", "chip-b")
HOUR_S, DAY_S = 3_600, 86_400
DEVICES = 8
MOST_WEIGHT = 10
SIZES = ((1, 1, 30), (1, 2, 20), (1, 4, 20), (1, 8, 20), (2, 8, 10))
"""Workers, devices of each, and how many of a hundred jobs are of that size."""
HOURS = (2, 3, 4, 6, 8)
"""How long the jobs of a tenant run, about: each has one series of them."""
SPREAD = 0.1
"""By so much each of them may run longer or shorter."""
LIMIT_TIMES = 1.5
"""The limit that they give, by how long the series runs."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is simulated."""

    days: float = 30.0
    tenants: int = 20
    nodes: int = 8
    backlog: int = 2
    """So many jobs of each tenant wait at any time."""


FULL = Scale()


def measure(scale: Scale = FULL) -> Measurement:
    """Run the benchmark."""
    run = _Run(scale)
    say(f"fairness: {scale.tenants} tenants on {scale.nodes * DEVICES} devices for {scale.days:g} virtual days")
    run.simulation.run()
    return Measurement(run.figures(), {"unit_ns": unit_ns()}, goals=GOALS)


def setting(scale: Scale) -> Setting:
    """Return tenants of random weights, and nodes of two chip types."""
    random = Random(1)
    tenants = tuple(f"team-{number:02}" for number in range(scale.tenants))
    nodes = tuple(
        Node(CLUSTER, f"n{number:03}", (DeviceGroup(CHIPS[number % 2], DEVICES, 81_920),), 192_000, 2_097_152, 110,
             Topology(((RACK, f"r{number // 8}"),)))
        for number in range(scale.nodes)
    )  # fmt: skip
    chips = tuple(ChipType(name, "none", name, 81_920, 100.0, None, None, None, None, "cuda", "NCCL") for name in CHIPS)
    return Setting(CLUSTER, nodes, chips, tenants, weights={one: random.randint(1, MOST_WEIGHT) for one in tenants})


class _Run:
    """A simulation in which every tenant submits a job as soon as fewer than its backlog wait."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._random = Random(2)
        self._setting = setting(scale)
        self._series_s = {tenant: self._random.choice(HOURS) * HOUR_S for tenant in self._setting.tenants}
        self._observer = Observer(self._setting)
        self._started: dict[GroupId, int] = {}
        """When those began that were told when."""
        self._engine = CoreEngine(self._setting, Lives(1), (self._observer.follow, self._follow))
        self._estimated: dict[GroupId, tuple[int, int]] = {}
        """When a gang was first told when it starts, and what it was told."""
        first = [self._arrival(tenant) for tenant in self._setting.tenants for _ in range(scale.backlog)]
        self.simulation = Simulation(
            self._engine, first, until_s=round(scale.days * DAY_S), on_moment=self._after_a_moment
        )

    def figures(self) -> dict[str, float]:
        """Return what came of it."""
        observer, weights = self._observer, self._setting.weights
        observer.finish(self.simulation.progress.now_s)
        held = {name: observer.held_by[name].total() for name in weights}
        due = {name: weight / sum(weights.values()) for name, weight in weights.items()}
        received = {name: held[name] / sum(held.values()) / due[name] for name in weights}
        ratios = self._ratios()
        within = sum(1 / 2 <= ratio <= 2 for ratio in ratios)  # noqa: PLR2004 - the factor is the figure's name
        there = sum(meter.total() for meter in observer.capacity.values())
        return {
            "worst_tenant": min(received.values()),
            "best_tenant": max(received.values()),
            "use": sum(held.values()) / there,
            "jobs": float(len(observer.waited)),
            "events": float(self._engine.changes),
            "estimates": float(len(ratios)),
            "estimates_within_factor_2": within / len(ratios) if ratios else 0.0,
            "estimate_ratio_p50": median(ratios) if ratios else 0.0,
        }

    def _ratios(self) -> list[float]:
        """Return how long gangs waited by how long they were told to wait, from the first time that they were told."""
        found = []
        for group, (told_s, begins_s) in self._estimated.items():
            started_s = self._started.get(group)
            if started_s is not None and begins_s > told_s:
                found.append(max(1, started_s - told_s) / (begins_s - told_s))
        return found

    def _follow(self, change: Change, _state: SchedulerState) -> None:
        if isinstance(change.body, GroupPlaced) and change.body.group.id in self._estimated:
            self._started.setdefault(change.body.group.id, seconds_until(change.at))

    def _after_a_moment(self, progress: Progress) -> None:
        waiting: Counter[TenantName] = Counter()
        for gang in self._observer.gangs.values():
            waiting[gang.tenant] += gang.started_s is None
        for tenant in self._setting.tenants:
            for _ in range(self._scale.backlog - waiting[tenant]):
                progress.submitted += 1
                self._engine.submit([Numbered(f"{progress.submitted:016d}", self._arrival(tenant))])
        for kept in self._engine.passes.promises.standing:
            if kept.group not in self._estimated:
                self._estimated[kept.group] = progress.now_s, seconds_until(kept.begins)

    def _arrival(self, tenant: TenantName) -> Arrival:
        random = self._random
        workers, devices, _ = random.choices(SIZES, [weight for _, _, weight in SIZES])[0]
        series_s = self._series_s[tenant]
        run_s = series_s * random.uniform(1 - SPREAD, 1 + SPREAD)
        spec = JobSpec(
            name="greedy",
            kind=JobKind.TRAINING,
            workers=workers,
            shape=WorkerShape(devices, 4_000 * devices, 65_536 * devices),
            chips=AnyOf(tuple(random.sample(CHIPS, 2))),
            program=CommandProgram(("train",)),
            time_limit_s=round(LIMIT_TIMES * series_s),
        )
        return Arrival(0.0, tenant, "someone", spec, Life(run_s))
