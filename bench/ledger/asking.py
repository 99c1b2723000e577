"""The jobs whose decisions are timed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import count, cycle
from random import Random

from bench.ledger.population import (
    BLOCK,
    CHIPS,
    CPU_MILLI,
    DEVICES,
    MEMORY_MIB,
    TENANTS,
    TENANTS_AT_THEIR_QUOTA,
    ZONE,
    Population,
    chips_from,
)
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.job import AnyOf, CommandProgram, JobKind, JobSpec
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI, WorkerShape
from scheduler.core.model.topology import ANYWHERE_CLOSE, RACK, Closeness

MEMBER = WorkerShape(devices=4, cpu_milli=32_000, memory_mib=262_144)
SHARE = WorkerShape(devices=0, cpu_milli=2_000, memory_mib=8_192, share_milli=250, share_memory_mib=20_480)
SIZES = (1, 8, 64, 1_024)
REQUIRED_LEVEL = {1: RACK, 8: RACK, 64: BLOCK, 1_024: ZONE}
SCARCE = {8: 0.08, 64: 0.08, 1_024: 0.28}
"""At most this part of the nodes has room for one member of a gang that finds enough nodes, but not close together."""


class Variant(StrEnum):
    """How close together the members are to be."""

    PLAIN = "plain"
    REQUIRED = "required"
    PREFERRED = "preferred"


class Cause(StrEnum):
    """Why a gang has no place now, though it has one when nothing runs."""

    TOTALS = "totals"
    """No node has all the cpu left that a member asks for."""
    TOPOLOGY = "topology"
    """Enough nodes have room, but not in any one domain of the required level."""
    QUOTA = "quota"
    EXCLUSIVITY = "exclusivity"
    """It wants nodes for itself, and something runs on each."""


@dataclass(frozen=True, slots=True)
class Case:
    """Jobs of one sort; their chip types and tenants are drawn."""

    name: str
    members: int = 1
    variant: Variant = Variant.PLAIN
    shape: WorkerShape = MEMBER


HOPELESS = Case("hopeless")

Ask = tuple[TenantName, JobSpec]
_CUSTOMERS = TENANTS[:-TENANTS_AT_THEIR_QUOTA]
_AT_THEIR_QUOTA = TENANTS[-TENANTS_AT_THEIR_QUOTA:]


def asks(case: Case, random: Random) -> Iterator[Ask]:
    """Yield jobs of a case without end."""
    while True:
        yield random.choice(_CUSTOMERS), spec(case, random.choice(CHIPS))


def one_of_each_chip(case: Case, population: Population) -> Iterator[Ask]:
    """Yield one job of a case for each chip type, of a tenant that has no nodes of that type for itself."""
    owners = {(node.devices[0].chip, node.tenant) for node in population.nodes}
    for chip in CHIPS:
        yield next(tenant for tenant in _CUSTOMERS if (chip, tenant) not in owners), spec(case, chip)


def own_nodes(case: Case) -> Iterator[Ask]:
    """Yield one job of a case for each tenant and chip type: to look at every tenant's own nodes once."""
    for tenant in _CUSTOMERS:
        for chip in CHIPS:
            yield tenant, spec(case, chip)


def mixed(weights: Mapping[Case, int], random: Random) -> Iterator[Ask]:
    """Yield jobs of several cases in a random order, without end."""
    while True:
        (case,) = random.choices(list(weights), list(weights.values()))
        yield random.choice(_CUSTOMERS), spec(case, random.choice(CHIPS))


def never_asked(random: Random, first: int) -> Iterator[Ask]:
    """Yield single workers of which each asks for another amount of cpu, from `first` milli-cores more on."""
    for more in range(first, CPU_MILLI):
        case = Case("first", shape=replace(MEMBER, cpu_milli=MEMBER.cpu_milli + more))
        yield random.choice(_CUSTOMERS), spec(case, random.choice(CHIPS))


def hopeless(random: Random) -> Iterator[Ask]:
    """Yield jobs that can never run, each of which nobody asked for before: one for each sort of mistake in turn."""
    for number in count(1):
        tenant, chip = random.choice(_CUSTOMERS), random.choice(CHIPS)
        usual = spec(HOPELESS, chip)
        for wrong in (
            replace(usual, workers=1_000_000 + number),
            replace(usual, node_labels=(("no-such-label", f"{number}"),)),
            replace(usual, chips=AnyOf((ChipName(f"no-such-chip-{number}"),))),
            replace(usual, closeness=Closeness(required=f"no-such-level-{number}")),
            replace(usual, shape=replace(MEMBER, memory_mib=10**9 + number)),
            replace(usual, shape=replace(SHARE, share_memory_mib=10**6 + number)),
            replace(usual, workers=16 * 32 * 8 * 2 + number, closeness=Closeness(required=ZONE)),
        ):
            yield tenant, wrong


def infeasible(population: Population, random: Random) -> Iterator[Ask]:
    """Yield jobs that have no place: all sizes and variants equally, half of them not for lack of room in all."""
    shapes = {size: _scarce(population, part) for size, part in SCARCE.items()}
    others = cycle((Cause.QUOTA, Cause.EXCLUSIVITY))
    sorts = []
    for size in SIZES:
        for variant in Variant:
            is_by_topology = variant is Variant.REQUIRED and size in SCARCE
            sorts.append((size, variant, Cause.TOTALS))
            sorts.append((size, variant, Cause.TOPOLOGY if is_by_topology else next(others)))
    while True:
        random.shuffle(sorts)
        for size, variant, cause in sorts:
            yield _blocked(size, variant, cause, shapes, random)


def _blocked(
    size: int, variant: Variant, cause: Cause, shapes: dict[int, WorkerShape], random: Random
) -> tuple[TenantName, JobSpec]:
    tenant, chip = random.choice(_CUSTOMERS), random.choice(CHIPS)
    case = Case("infeasible", size, variant)
    match cause:
        case Cause.TOTALS:
            return tenant, spec(replace(case, shape=replace(MEMBER, cpu_milli=CPU_MILLI)), chip)
        case Cause.TOPOLOGY:
            return tenant, spec(replace(case, shape=shapes[size]), chip)
        case Cause.QUOTA:
            return random.choice(_AT_THEIR_QUOTA), spec(case, chip)
        case Cause.EXCLUSIVITY:
            return tenant, spec(case, chip, is_exclusive=True)


@cache
def spec(case: Case, chip: ChipName, *, is_exclusive: bool = False) -> JobSpec:
    """Return the job of a case that likes a chip type best."""
    return JobSpec(
        name=case.name,
        kind=JobKind.TRAINING,
        workers=case.members,
        shape=case.shape,
        chips=AnyOf(chips_from(chip)),
        program=CommandProgram(("python", "train.py")),
        closeness=_closeness(case),
        exclusive=is_exclusive,
    )


def _closeness(case: Case) -> Closeness:
    match case.variant:
        case Variant.PLAIN:
            return ANYWHERE_CLOSE
        case Variant.REQUIRED:
            return Closeness(required=REQUIRED_LEVEL[case.members])
        case Variant.PREFERRED:
            return Closeness(preferred=(BLOCK,))


def _scarce(population: Population, part: float) -> WorkerShape:
    """Return a member with so much memory that at most this part of the nodes has room for it."""
    left = {node.id: [DEVICES, MEMORY_MIB] for node in population.nodes}
    for attempt in population.attempts:
        slots = {slot for held in attempt.allocations for slot in held.slots}
        left[attempt.allocations[0].node][0] -= len(slots)
        left[attempt.allocations[0].node][1] -= sum(held.memory_mib for held in attempt.allocations)
    needed = MEMBER.devices_milli // WHOLE_DEVICE_MILLI
    amounts = sorted((memory_mib for devices, memory_mib in left.values() if devices >= needed), reverse=True)
    most = int(part * len(population.nodes))
    return replace(MEMBER, memory_mib=1 + amounts[most] if most < len(amounts) else MEMBER.memory_mib)
