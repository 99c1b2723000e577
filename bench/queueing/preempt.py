"""What it costs to find out who is stopped for whom: a whole share that is taken back, and one large gang."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.clock import now_ns, unit_cpu_ns
from bench.ledger.population import (
    CLUSTER_NAME,
    CPU_MILLI,
    DEVICE_MEMORY_MIB,
    DEVICES,
    MEMORY_MIB,
    NODES_PER_RACK,
    NOON,
    make_attempt,
    make_group,
    make_job,
)
from bench.report import Limit, Measurement
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import Allocation, Checkpoint
from scheduler.core.model.change import Change, JobSubmitted, PriorityChanged
from scheduler.core.model.decision import Evicted
from scheduler.core.model.group import State
from scheduler.core.model.job import AnyOf, CommandProgram, Job, JobKind, JobSpec
from scheduler.core.model.node import LOCAL_KIND, Cluster, DeviceGroup, Node
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.sharing.queue import QueueQuota, Shares
from scheduler.core.model.topology import RACK, Topology
from scheduler.services.collecting import nothing_collected

GOALS = (
    Limit("reclaim_units", "<=", 7_000_000),
    Limit("gang_1k_units", "<=", 15_000),
    Limit("gang_100k_units", "<=", 75_000),
)
CHIP = "chip-00"
OWNER, BORROWER = "owner", "borrower"
FIRST_WAITING = 1_000_000_000
GANG = 64
"""Workers, each of which takes a node."""
HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 500
    gang_nodes: tuple[int, int] = (1_000, 100_000)
    runs: int = 3
    gangs: int = 20
    """One after the other, in each run."""


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    reclaims = [_reclaim(size.nodes) for _ in range(size.runs)]
    say(f"preempt: a share of {size.nodes} nodes was taken back {size.runs} times")
    figures = {
        "reclaim_units": median(units for units, _, _ in reclaims),
        "reclaim_ms": median(spent for _, spent, _ in reclaims),
        "reclaim_evicted": float(min(stopped for _, _, stopped in reclaims)),
    }
    for name, nodes in zip(("1k", "100k"), size.gang_nodes, strict=True):
        units, spent_us = _gangs(nodes, size)
        figures |= {f"gang_{name}_units": units, f"gang_{name}_us": spent_us}
        say(f"preempt: a gang of {GANG} nodes on {nodes} was looked at {size.runs * size.gangs} times")
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS)


def _reclaim(nodes: int) -> tuple[float, float, int]:
    """Let a tenant that is guaranteed all of a cluster take it back; return units, ms, and how many were stopped."""
    state = _full(nodes, 1, quotas=[QueueQuota(OWNER, CHIP, guaranteed=nodes * DEVICES)])
    passes, now = Passes(rules=Rules()), NOON + timedelta(seconds=HOUR_S)
    passes.decide(state, now)
    coming = [make_job(FIRST_WAITING + number, OWNER, _spec(1, 1)) for number in range(nodes * DEVICES)]
    for number, job in enumerate(coming, start=1):
        state.apply(Change(number, now, None, job.id, JobSubmitted(job, (make_group(job),))))
    unit = unit_cpu_ns()
    gc.collect()
    with nothing_collected():
        start = now_ns()
        decisions = passes.decide(state, now)
        spent = now_ns() - start
    return spent / unit, spent / 1e6, sum(isinstance(decision, Evicted) for decision in decisions)


def _gangs(nodes: int, size: Size) -> tuple[float, float]:
    """Let a gang ask again and again, each time with other checkpoints; return the median in units and in us."""
    state = _full(nodes, DEVICES)
    gang = replace(make_job(FIRST_WAITING, BORROWER, _spec(GANG, DEVICES)))
    state.apply(Change(1, NOON, None, gang.id, JobSubmitted(gang, (make_group(gang),))))
    bench = _Gang(state, gang)
    bench.look(priority=1)  # reads what runs for the first time
    gc.collect()
    gc.freeze()
    units, times_us = [], []
    for _ in range(size.runs):
        unit = unit_cpu_ns()
        spent = [bench.look(priority=priority) for priority in range(2, size.gangs + 2)]
        units.append(median(spent) / unit)
        times_us.append(median(spent) / 1_000)
    gc.unfreeze()
    return median(units), median(times_us)


class _Gang:
    """One that waits, for whom others are looked for whenever its priority is another one."""

    def __init__(self, state: SchedulerState, gang: Job) -> None:
        self._state = state
        self._gang = gang
        self._passes = Passes(rules=Rules())
        self._now = NOON + timedelta(seconds=HOUR_S)
        self._number = 1

    def look(self, *, priority: int) -> int:
        """Return what the pass took that finds out who is to be stopped, in ns; what it decided is taken back."""
        self._number += 1
        self._now += timedelta(seconds=1)
        body = PriorityChanged(self._gang.id, priority, "someone")
        self._state.apply(Change(self._number, self._now, None, self._gang.id, body))
        with nothing_collected():
            start = now_ns()
            decisions = self._passes.decide(self._state, self._now)
            spent = now_ns() - start
        if sum(isinstance(decision, Evicted) for decision in decisions) != GANG:
            raise RuntimeError(f"{len(decisions)} decisions, and {GANG} attempts were to be stopped")
        self._passes.take_back(decisions)
        return spent


def _full(nodes: int, devices: int, quotas: Sequence[QueueQuota] = ()) -> SchedulerState:
    """Return a cluster all of which a tenant holds, by attempts of so many devices that have saved themselves."""
    random = Random(0)
    known = [_node(number) for number in range(nodes)]
    held = [(node, first) for node in known for first in range(0, DEVICES, devices)]
    jobs = [make_job(number, BORROWER, _spec(1, devices)) for number in range(len(held))]
    attempts = [
        replace(make_attempt(job, (_held(node, first, devices),)), checkpoint=Checkpoint(1, _saved(random)))
        for job, (node, first) in zip(jobs, held, strict=True)
    ]
    return SchedulerState.from_parts(
        clusters=[Cluster(CLUSTER_NAME, LOCAL_KIND)],
        nodes=known,
        shares=Shares(quotas=tuple(quotas)),
        jobs=jobs,
        groups=[make_group(job, State.RUNNING) for job in jobs],
        attempts=attempts,
    )


def _saved(random: Random) -> datetime:
    return NOON + timedelta(seconds=random.randrange(HOUR_S))


def _node(number: int) -> Node:
    return Node(
        cluster=CLUSTER_NAME,
        name=f"n{number:06}",
        devices=(DeviceGroup(CHIP, DEVICES, DEVICE_MEMORY_MIB),),
        cpu_milli=CPU_MILLI,
        memory_mib=MEMORY_MIB,
        pods=110,
        topology=Topology(((RACK, f"r{number // NODES_PER_RACK:05}"),)),
    )


def _held(node: Node, first: int, devices: int) -> Allocation:
    slots = tuple(range(first, first + devices))
    return Allocation(0, node.id, CHIP, slots, CPU_MILLI * devices // DEVICES, MEMORY_MIB * devices // DEVICES)


def _spec(workers: int, devices: int) -> JobSpec:
    return JobSpec(
        name="asked",
        kind=JobKind.TRAINING,
        workers=workers,
        shape=WorkerShape(devices, CPU_MILLI * devices // DEVICES, MEMORY_MIB * devices // DEVICES),
        chips=AnyOf((CHIP,)),
        program=CommandProgram(("python", "train.py")),
    )
