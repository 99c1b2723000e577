"""Hypothesis strategies for tiny clusters and their gangs, small enough to search exhaustively."""

from hypothesis import settings
from hypothesis import strategies as st

from scheduler.core.ledger.changes import Restore
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.job import AnyOf, ExactMix, Job
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.tenant import Quota
from scheduler.core.placement.request import PlacementRequest
from tests.builders.core import make_job, make_node, seconds_after_noon

CHIPS = ("h100", "mi300x", "mlu")
TENANTS = ("alpha", "beta")


def fixed(examples: int) -> settings:
    """Return settings under which a property test sees the same examples in every run."""
    return settings(derandomize=True, max_examples=examples, deadline=None, database=None)


@st.composite
def nodes(draw: st.DrawFn, *, most: int = 4) -> list[Node]:
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=most, unique=True))
    states = st.sampled_from([NodeState.READY] * 6 + [NodeState.DRAINED, NodeState.GONE])
    return [
        make_node(
            name,
            draw(st.dictionaries(st.sampled_from(CHIPS), st.integers(1, 4), min_size=1, max_size=3)),
            cluster=draw(st.sampled_from(["east", "east", "east", "west"])),
            rack=draw(st.sampled_from([None, "r1", "r2"])),
            state=draw(states),
            cpu_milli=draw(st.sampled_from([1_000, 2_000, 4_000, 64_000])),
            memory_mib=draw(st.sampled_from([2_048, 64_000])),
            pods=draw(st.sampled_from([1, 2, 110])),
        )
        for name in names
    ]


@st.composite
def scarce_nodes(draw: st.DrawFn) -> list[Node]:
    """Draw ready nodes of one cluster whose chip types compete for little cpu."""
    return [
        make_node(
            name,
            draw(st.dictionaries(st.sampled_from(CHIPS), st.integers(1, 3), min_size=1, max_size=3)),
            cluster="east",
            rack=draw(st.sampled_from([None, "r1", "r1", "r2"])),
            cpu_milli=1_000 * draw(st.integers(1, 3)),
        )
        for name in "abcde"[: draw(st.integers(2, 5))]
    ]


shapes = st.builds(
    WorkerShape, st.sampled_from([1, 1, 2, 3]), st.sampled_from([0, 500, 1_000, 2_000]), st.sampled_from([0, 1_024])
)
mixes = st.dictionaries(st.sampled_from(CHIPS), st.integers(1, 3), min_size=1, max_size=3)
requests = st.builds(lambda shape, mix: PlacementRequest(shape, tuple(mix.items()), choice=1, choices=1), shapes, mixes)
scarce_requests = st.dictionaries(st.sampled_from(CHIPS), st.integers(1, 3), min_size=1, max_size=3).map(
    lambda mix: PlacementRequest(WorkerShape(1, 1_000, 0), tuple(mix.items()), choice=1, choices=1)
)
single_chip_requests = st.builds(
    lambda shape, chip, workers: PlacementRequest(shape, ((chip, workers),), choice=1, choices=1),
    shapes,
    st.sampled_from(CHIPS),
    st.integers(1, 6),
)


@st.composite
def holds(draw: st.DrawFn, on: list[Node]) -> list[Restore]:
    """Draw at most one attempt per node that holds some of its slots, even where the node has shrunk under it."""
    found = []
    for node in on:
        group = draw(st.sampled_from(node.devices))
        slots = draw(st.lists(st.integers(0, 5), unique=True, max_size=3))
        if slots:
            cpu_milli = draw(st.sampled_from([0, 500, 3_000]))
            allocation = Allocation(0, node.id, group.chip, tuple(sorted(slots)), cpu_milli, 512)
            found.append(Restore(f"held-by-{node.id}", draw(st.sampled_from(TENANTS)), (allocation,)))
    return found


any_of = st.lists(st.sampled_from(CHIPS), min_size=1, max_size=3, unique=True).map(lambda chips: AnyOf(tuple(chips)))
exact_mix = mixes.map(lambda mix: ExactMix(tuple(mix.items())))
quotas = st.dictionaries(
    st.tuples(st.sampled_from(TENANTS), st.sampled_from(CHIPS)), st.integers(0, 8), max_size=3
).map(lambda limits: tuple(Quota(tenant, chip, devices) for (tenant, chip), devices in limits.items()))


@st.composite
def jobs(draw: st.DrawFn, *, most: int = 6) -> list[Job]:
    return [
        make_job(
            number,
            draw(any_of | exact_mix),
            workers=draw(st.integers(1, 4)),
            shape=draw(shapes),
            tenant=draw(st.sampled_from(TENANTS)),
            priority=draw(st.integers(-1, 1)),
            retries=draw(st.integers(0, 1)),
            submitted_at=seconds_after_noon(draw(st.integers(0, 2))),
        )
        for number in range(draw(st.integers(1, most)))
    ]
