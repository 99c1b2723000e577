"""A cluster of N nodes that is about 60 % used, made from a seed: the same one for the same N."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import FIRST_GENERATION, Allocation, Attempt
from scheduler.core.model.group import Group, State
from scheduler.core.model.identifiers import ChipName, attempt_id, group_id
from scheduler.core.model.job import AnyOf, CommandProgram, Job, JobKind, JobSpec
from scheduler.core.model.node import LOCAL_KIND, Cluster, DeviceGroup, Node
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI, WorkerShape
from scheduler.core.model.sharing.queue import QueueQuota, Shares
from scheduler.core.model.topology import RACK, Topology

CLUSTER_NAME = "big"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CHIPS = tuple(f"chip-{number:02}" for number in range(12))
CHIPS_OF_A_JOB = 6
TENANTS = tuple(f"team-{number:03}" for number in range(200))
TENANTS_AT_THEIR_QUOTA = 10
"""The last ones hold as much as they may; all others may hold so many devices more of every type:"""
QUOTA_LEFT = 8_192
BLOCK, ZONE = "block", "zone"
NODES_PER_RACK, RACKS_PER_BLOCK, BLOCKS_PER_ZONE = 16, 32, 8
DEVICES, CPU_MILLI, MEMORY_MIB, DEVICE_MEMORY_MIB = 8, 192_000, 2_097_152, 81_920
OWNED_RACKS = 5
"""Every fifth rack belongs to one tenant."""
SHARING_NODES = 5
"""Every fifth node has two shared devices: 5 % of all devices."""
USED = {1: 14, 2: 16, 3: 6, 4: 26, 6: 12, 8: 26}
"""How many nodes of a hundred have so many whole devices in use: 55 %, and 5 % more are shared."""
WORKERS_ON = {1: (1,), 2: (1, 2), 3: (3,), 4: (1, 2, 4), 6: (3,), 8: (2, 4, 8)}
"""By how many alike workers they may be used."""
CPU_AND_MEMORY = ((4_000, 32_768), (6_000, 98_304), (8_000, 65_536), (12_000, 131_072), (16_000, 196_608))
"""That a worker has per device."""
SHARES = ((250, 20_480), (500, 40_960))


@dataclass(frozen=True, slots=True)
class Population:
    """Everything a state is built from."""

    nodes: Sequence[Node]
    quotas: Sequence[QueueQuota]
    jobs: Sequence[Job]
    groups: Sequence[Group]
    attempts: Sequence[Attempt]
    """Each is on one node."""
    devices_used: int

    def state(self) -> SchedulerState:
        """Return a new state with all of it."""
        return SchedulerState.from_parts(
            clusters=[Cluster(CLUSTER_NAME, LOCAL_KIND)],
            nodes=self.nodes,
            shares=Shares(quotas=tuple(self.quotas)),
            jobs=self.jobs,
            groups=self.groups,
            attempts=self.attempts,
        )


def populate(count: int, seed: int = 0) -> Population:
    """Return a cluster of so many nodes."""
    random = Random(seed)
    nodes = list(make_nodes(count))
    jobs: list[Job] = []
    groups: list[Group] = []
    attempts: list[Attempt] = []
    for number, node in enumerate(nodes):
        for allocations in _allocations(random, number, node):
            tenant = node.tenant or random.choice(TENANTS)
            job = make_job(len(jobs), tenant, _spec(node.devices[0].chip, len(allocations), _shape(allocations[0])))
            jobs.append(job)
            groups.append(make_group(job, State.RUNNING))
            attempts.append(make_attempt(job, allocations))
    used = sum(len({slot for held in attempt.allocations for slot in held.slots}) for attempt in attempts)
    return Population(nodes, list(_quotas(jobs, attempts)), jobs, groups, attempts, used)


def make_nodes(count: int) -> Iterator[Node]:
    """Yield nodes: racks of one chip type, and the racks of a type next to each other."""
    racks = -(-count // NODES_PER_RACK)
    for number in range(count):
        rack = number // NODES_PER_RACK
        yield Node(
            cluster=CLUSTER_NAME,
            name=f"n{number:06}",
            devices=_devices(CHIPS[rack * len(CHIPS) // racks]),
            cpu_milli=CPU_MILLI,
            memory_mib=MEMORY_MIB,
            pods=110,
            topology=_topology(rack),
            labels=(("disk", ("nvme", "ssd")[rack % 2]), ("generation", ("a", "b")[rack // 2 % 2])),
            tenant=TENANTS[rack // OWNED_RACKS % len(TENANTS)] if rack % OWNED_RACKS == OWNED_RACKS - 1 else None,
        )


@cache
def _devices(chip: ChipName) -> tuple[DeviceGroup, ...]:
    return (DeviceGroup(chip, DEVICES, DEVICE_MEMORY_MIB),)


@cache
def _topology(rack: int) -> Topology:
    block = rack // RACKS_PER_BLOCK
    return Topology(((RACK, f"r{rack:05}"), (BLOCK, f"b{block:04}"), (ZONE, f"z{block // BLOCKS_PER_ZONE:03}")))


def make_job(number: int, tenant: str, spec: JobSpec) -> Job:
    """Return a job; one with a smaller number was submitted earlier."""
    return Job(f"{number:016}", tenant, spec, "someone", NOON)


def make_group(job: Job, state: State = State.QUEUED) -> Group:
    """Return the only group of a job, waiting for its first attempt or in it."""
    attempts = 0 if state is State.QUEUED else 1
    return Group(group_id(job.id, 0), job.id, 0, state, version=1 + attempts, attempts=attempts, failures=0)


def make_attempt(job: Job, allocations: tuple[Allocation, ...]) -> Attempt:
    """Return the first attempt of a job's only group."""
    return Attempt(
        id=attempt_id(group_id(job.id, 0), 1),
        group_id=group_id(job.id, 0),
        number=1,
        generation=FIRST_GENERATION,
        state=State.RUNNING,
        stop_reason=None,
        allocations=allocations,
        notes=(),
        workers=(),
        placed_at=NOON,
    )


@cache
def chips_from(first: ChipName) -> tuple[ChipName, ...]:
    """Return the chip types that a job accepts that likes this one best: it and those after it."""
    at = CHIPS.index(first)
    return tuple(CHIPS[(at + step) % len(CHIPS)] for step in range(CHIPS_OF_A_JOB))


@cache
def _spec(chip: ChipName, workers: int, shape: WorkerShape) -> JobSpec:
    return JobSpec(
        name="background",
        kind=JobKind.TRAINING,
        workers=workers,
        shape=shape,
        chips=AnyOf(chips_from(chip)),
        program=CommandProgram(("python", "train.py")),
    )


def _shape(held: Allocation) -> WorkerShape:
    return WorkerShape(held.devices, held.cpu_milli, held.memory_mib, held.share_milli, held.share_memory_mib)


def _allocations(random: Random, number: int, node: Node) -> Iterator[tuple[Allocation, ...]]:
    """Yield what the jobs of a node hold there: one has whole devices, and on some nodes another one shares."""
    shared = 2 if number % SHARING_NODES == 0 else 0
    used = min(DEVICES - shared, random.choices(list(USED), list(USED.values()))[0])
    workers = random.choice(WORKERS_ON[used])
    cpu_milli, memory_mib = random.choice(CPU_AND_MEMORY)
    each = used // workers
    chip = node.devices[0].chip
    yield tuple(
        Allocation(
            rank=rank,
            node=node.id,
            chip=chip,
            slots=tuple(range(rank * each, (rank + 1) * each)),
            cpu_milli=cpu_milli * each,
            memory_mib=memory_mib * each,
        )
        for rank in range(workers)
    )
    if shared:
        milli, device_mib = random.choice(SHARES)
        slots = [used + place for place in range(shared) for _ in range(random.randint(1, WHOLE_DEVICE_MILLI // milli))]
        yield tuple(
            Allocation(rank, node.id, chip, (slot,), 1_000, 8_192, share_milli=milli, share_memory_mib=device_mib)
            for rank, slot in enumerate(slots)
        )


def _quotas(jobs: Sequence[Job], attempts: Sequence[Attempt]) -> Iterator[QueueQuota]:
    held_milli: dict[tuple[str, ChipName], int] = defaultdict(int)
    for job, attempt in zip(jobs, attempts, strict=True):
        for held in attempt.allocations:
            held_milli[job.tenant, held.chip or ""] += held.devices_milli
    for place, tenant in enumerate(TENANTS):
        left = QUOTA_LEFT if place < len(TENANTS) - TENANTS_AT_THEIR_QUOTA else 0
        for chip in CHIPS:
            yield QueueQuota(tenant, chip, limit=-(-held_milli[tenant, chip] // WHOLE_DEVICE_MILLI) + left)
