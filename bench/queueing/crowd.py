"""A cluster on which a job holds all of every node, and many others wait; and what happens on it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

from bench.ledger.population import (
    CHIPS,
    CLUSTER_NAME,
    CPU_AND_MEMORY,
    DEVICES,
    NOON,
    TENANTS,
    make_attempt,
    make_group,
    make_job,
    make_nodes,
)
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import RetryRule, apply_event
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.change import Change, ChangeBody, GroupMoved, GroupPlaced
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import Group, State
from scheduler.core.model.identifiers import AttemptId, ChipName
from scheduler.core.model.job import AnyOf, CommandProgram, Job, JobKind, JobSpec
from scheduler.core.model.node import LOCAL_KIND, Cluster, Node
from scheduler.core.model.resources import WorkerShape

FIRST_WAITING = 1_000_000_000
WORKERS = {1: 40, 2: 20, 4: 15, 8: 12, 16: 8, 32: 4, 64: 1}
"""How many of a hundred jobs have so many workers."""
DEVICES_EACH = {1: 30, 2: 15, 4: 20, 8: 35}
"""How many of a hundred jobs have so many devices per worker."""
CHIP_TYPES = (1, 2, 6)
"""So many chip types does a job accept."""
HOURS = (1, 2, 4, 8, 24)
"""That a job may run at most."""
WITHOUT_LIMIT = 0.25
"""This part of the jobs may run for ever."""
NOBODY_ASKS_FOR = CHIPS[-1]


@dataclass(frozen=True, slots=True)
class Crowd:
    """A state, with the attempts by the chip type of their node."""

    state: SchedulerState
    running: dict[ChipName, list[AttemptId]]


def crowd(nodes: int, waiting: int, *, idle: float = 0.0, seed: int = 0) -> Crowd:
    """Return a cluster of which a part of the nodes is idle and all others are full, and on which so many jobs wait."""
    random = Random(seed)
    known = list(make_nodes(nodes))
    full = [node for node in known if random.random() >= idle]
    jobs = [_running(number, node, random) for number, node in enumerate(full)]
    attempts = [
        replace(make_attempt(job, (_all_of(node),)), placed_at=NOON - timedelta(seconds=random.randrange(3_600)))
        for job, node in zip(jobs, full, strict=True)
    ]
    queued = [make_job(FIRST_WAITING + number, random.choice(TENANTS), asked(random)) for number in range(waiting)]
    running: dict[ChipName, list[AttemptId]] = {chip: [] for chip in CHIPS}
    for node, attempt in zip(full, attempts, strict=True):
        running[node.devices[0].chip].append(attempt.id)
    state = SchedulerState.from_parts(
        clusters=[Cluster(CLUSTER_NAME, LOCAL_KIND)],
        nodes=known,
        jobs=[*jobs, *queued],
        groups=[*(make_group(job, State.RUNNING) for job in jobs), *map(make_group, queued)],
        attempts=attempts,
    )
    return Crowd(state, running)


def asked(random: Random) -> JobSpec:
    """Return what somebody asks for, at random."""
    devices = random.choices(list(DEVICES_EACH), list(DEVICES_EACH.values()))[0]
    cpu_milli, memory_mib = random.choice(CPU_AND_MEMORY)
    wanted = [chip for chip in CHIPS if chip != NOBODY_ASKS_FOR]
    return JobSpec(
        name="asked",
        kind=JobKind.TRAINING,
        workers=random.choices(list(WORKERS), list(WORKERS.values()))[0],
        shape=WorkerShape(devices, cpu_milli * devices, memory_mib * devices),
        chips=AnyOf(tuple(random.sample(wanted, random.choice(CHIP_TYPES)))),
        program=CommandProgram(("python", "train.py")),
        time_limit_s=None if random.random() < WITHOUT_LIMIT else random.choice(HOURS) * 3_600,
    )


def _running(number: int, node: Node, random: Random) -> Job:
    spec = replace(
        asked(random), name="running", workers=1, chips=AnyOf((node.devices[0].chip,)), time_limit_s=24 * 3_600
    )
    return make_job(number, node.tenant or random.choice(TENANTS), spec)


def _all_of(node: Node) -> Allocation:
    return Allocation(0, node.id, node.devices[0].chip, tuple(range(DEVICES)), node.cpu_milli, node.memory_mib)


class Feed:
    """Lets things happen to a state, one change after the other."""

    def __init__(self, state: SchedulerState) -> None:
        self._state = state
        self._numbers = count(1)

    def end(self, attempt: AttemptId, at: datetime) -> None:
        """Let an attempt succeed."""
        live = self._state.live[attempt]
        ended = replace(live.group, state=State.SUCCEEDED, version=live.group.version + 1)
        self._tell(GroupMoved(ended, attempt), at)

    def place(self, decisions: Iterator[object], at: datetime) -> list[AttemptId]:
        """Let what was decided come true; return the new attempts."""
        placed = [decision for decision in decisions if isinstance(decision, Placed)]
        for decision in placed:
            group = apply_event(self._state.groups[decision.group], Event.PLACE, rule=RetryRule(0), now=at)
            assert isinstance(group, Group)
            self._tell(GroupPlaced(group, decision.attempt, decision.allocations, ()), at)
        return [decision.attempt for decision in placed]

    def _tell(self, body: ChangeBody, at: datetime) -> None:
        self._state.apply(Change(next(self._numbers), at, None, None, body))
