"""Hypothesis strategies for tiny clusters and their gangs, small enough to search exhaustively."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from scheduler.core.ledger.changes import Restore
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.job import AnyOf, ExactMix, Job, WorkerRole
from scheduler.core.model.node import DeviceGroup, ForeignUse, Node, NodeState
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.sharing.queue import COMPUTE, ChipGroup, Queue, QueueCaps, QueueQuota
from scheduler.core.model.topology import NODE, RACK, Apart, Closeness, Spread, Topology
from tests.builders.core import make_job, make_node, seconds_after_noon

CHIPS = ("h100", "mi300x", "mlu")
TENANTS = ("alpha", "beta")
ZONE = "zone"
LEVELS = (NODE, RACK, ZONE)
FAST = (("disk", "fast"),)
TEAM = (("team", "x"),)
DEVICE_MIB = 80_000
TOPOLOGIES = tuple(
    Topology(domains)
    for domains in (
        (),
        ((RACK, "r1"),),
        ((RACK, "r1"), (ZONE, "z1")),
        ((RACK, "r2"), (ZONE, "z1")),
        ((RACK, "r1"), (ZONE, "z2")),
    )
)


def fixed(examples: int) -> settings:
    """Return settings under which a property test sees the same examples in every run."""
    return settings(derandomize=True, max_examples=examples, deadline=None, database=None)


@st.composite
def nodes(draw: st.DrawFn, *, most: int = 4) -> list[Node]:
    """Draw nodes of up to two clusters in any state, some of them used by others or kept for a tenant."""
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=most, unique=True))
    states = st.sampled_from([NodeState.READY] * 6 + [NodeState.DEGRADED] * 2 + list(NodeState)[2:])
    return [
        _node(
            name,
            draw(st.dictionaries(st.sampled_from(CHIPS), st.integers(1, 4), max_size=3)),
            cluster=draw(st.sampled_from(["east", "east", "east", "west"])),
            topology=draw(st.sampled_from(TOPOLOGIES)),
            state=draw(states),
            cpu_milli=draw(st.sampled_from([1_000, 2_000, 4_000, 64_000])),
            memory_mib=draw(st.sampled_from([2_048, 64_000])),
            pods=draw(st.sampled_from([1, 2, 110])),
            labels=draw(st.sampled_from([(), (), FAST])),
            tenant=draw(st.sampled_from([None, None, None, *TENANTS])),
            foreign=draw(st.sampled_from([ForeignUse()] * 3 + [ForeignUse((("h100", 1),), 500, 0, 1)])),
        )
        for name in names
    ]


@st.composite
def scarce_nodes(draw: st.DrawFn) -> list[Node]:
    """Draw ready nodes of one cluster whose workers compete for little cpu."""
    return [
        _node(
            name,
            draw(st.dictionaries(st.sampled_from(CHIPS), st.integers(1, 3), min_size=1, max_size=3)),
            cluster="east",
            topology=draw(st.sampled_from(TOPOLOGIES)),
            cpu_milli=1_000 * draw(st.integers(1, 4)),
            pods=draw(st.sampled_from([2, 3, 110])),
            tenant=draw(st.sampled_from([None, None, None, "alpha"])),
            state=draw(st.sampled_from([NodeState.READY] * 3 + [NodeState.DEGRADED])),
        )
        for name in "abcd"[: draw(st.integers(2, 4))]
    ]


def _node(name: str, devices: dict[str, int], **differing: Any) -> Node:
    groups = tuple(DeviceGroup(chip, count, DEVICE_MIB) for chip, count in devices.items())
    return replace(make_node(name), devices=groups, **differing)


@st.composite
def holds(draw: st.DrawFn, on: list[Node]) -> list[Restore]:
    """Draw at most one attempt per node that holds some of its slots, even where the node has shrunk under it."""
    found = []
    for node in on:
        chip = draw(st.sampled_from([group.chip for group in node.devices] or ["h100"]))
        slots = draw(st.lists(st.integers(0, 5), unique=True, max_size=3))
        if slots:
            cpu_milli = draw(st.sampled_from([0, 500, 3_000]))
            share = draw(st.sampled_from([(0, 0), (0, 0), (400, 10_000), (700, 0)]))
            held = [tuple(sorted(slots))] if not share[0] else [(slot,) for slot in sorted(slots)]
            allocations = tuple(
                Allocation(rank, node.id, chip, own, cpu_milli, 512, share_milli=share[0], share_memory_mib=share[1])
                for rank, own in enumerate(held)
            )
            found.append(Restore(f"held-by-{node.id}", draw(st.sampled_from(TENANTS)), allocations))
    return found


whole_shapes = st.builds(
    WorkerShape, st.sampled_from([1, 1, 2, 3]), st.sampled_from([0, 500, 1_000, 2_000]), st.sampled_from([0, 1_024])
)
share_shapes = st.builds(
    WorkerShape,
    st.just(0),
    st.sampled_from([0, 500, 1_000]),
    st.sampled_from([0, 1_024]),
    st.sampled_from([300, 500, 600]),
    st.sampled_from([0, 30_000, 50_000]),
)
light_shapes = st.builds(WorkerShape, st.just(0), st.sampled_from([500, 1_000, 2_000]), st.sampled_from([0, 1_024]))
shapes = st.one_of(whole_shapes, whole_shapes, share_shapes)
mixes = st.dictionaries(st.sampled_from(CHIPS), st.integers(1, 3), min_size=1, max_size=3)
any_of = st.lists(st.sampled_from(CHIPS), min_size=1, max_size=3, unique=True).map(lambda chips: AnyOf(tuple(chips)))
exact_mix = mixes.map(lambda mix: ExactMix(tuple(mix.items())))
quotas = st.dictionaries(
    st.tuples(st.sampled_from(TENANTS), st.sampled_from(CHIPS)), st.integers(0, 8), max_size=3
).map(lambda limits: tuple(QueueQuota(tenant, chip, limit=devices) for (tenant, chip), devices in limits.items()))

QUEUES = ("org", *TENANTS, "night")
caps = st.builds(
    QueueCaps,
    most_running=st.none() | st.integers(0, 2),
    most_running_per_user=st.none() | st.integers(0, 2),
)


@st.composite
def _trees(draw: st.DrawFn) -> list[Queue]:
    above = draw(st.sampled_from([None, "org"]))
    found = [Queue("org", caps=draw(caps)), *(Queue(name, above, name, caps=draw(caps)) for name in TENANTS)]
    return [*found, Queue("night", draw(st.sampled_from([None, "org", "alpha"])), "alpha", caps=draw(caps))]


trees = st.just(list[Queue]()) | _trees()
"""No queues that anybody told of, or a few in each other."""
chip_group = st.lists(st.sampled_from(CHIPS), min_size=1, unique=True).map(
    lambda chips: ChipGroup("some", tuple(chips))
)


@st.composite
def quota(draw: st.DrawFn, queues: Sequence[str]) -> QueueQuota:
    """Draw a quota of one of some queues."""
    guaranteed, resource = draw(st.integers(0, 4)), draw(st.sampled_from((*CHIPS, "some", COMPUTE)))
    return QueueQuota(
        draw(st.sampled_from(queues)),
        resource,
        guaranteed,
        limit=draw(st.none() | st.integers(guaranteed, 8)),
        borrowing=draw(st.none() | st.integers(0, 4)),
        lending=draw(st.none() | st.integers(0, guaranteed)),
    )


def quotas_of(queues: Sequence[Queue]) -> st.SearchStrategy[tuple[QueueQuota, ...]]:
    """Draw a few quotas of these queues, one of each resource of each."""
    drawn = st.lists(
        quota([queue.name for queue in queues]), max_size=4, unique_by=lambda one: (one.queue, one.resource)
    )
    return drawn.map(tuple)


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a job may wish of its place besides room: mostly nothing, seldom several things at once."""
    found: dict[str, Any] = {}
    for wish in draw(st.lists(st.sampled_from(["near", "spread", "apart", "exclusive", "labels"]), max_size=2)):
        match wish:
            case "near":
                found["closeness"] = draw(
                    st.builds(Closeness, st.sampled_from(LEVELS)) | st.just(Closeness(preferred=(ZONE, NODE)))
                )
            case "spread":
                found["spread"] = Spread(draw(st.sampled_from(LEVELS)), draw(st.integers(1, 2)))
            case "apart":
                found["apart"] = Apart(draw(st.sampled_from(LEVELS)), TEAM)
            case "exclusive":
                found["exclusive"] = True
            case "labels":
                found["node_labels"] = FAST
    return found


@st.composite
def gangs(draw: st.DrawFn, *, most: int = 5, parts: int = 2) -> Job:
    """Draw a job with up to so many workers in up to so many parts, of whole devices, shares or no devices."""
    tenant, chip = draw(st.sampled_from(TENANTS)), draw(st.sampled_from(CHIPS))
    workers = draw(st.integers(1, most))
    more = draw(st.integers(0, most - workers)) if parts > 1 else 0
    found: dict[str, Any] = {"workers": workers, "shape": draw(shapes)}
    if more and draw(st.booleans()):
        mix = ((chip, workers), (draw(st.sampled_from([other for other in CHIPS if other != chip])), more))
        found |= {"workers": workers + more, "chips": ExactMix(mix)}
    elif more:
        chips = draw(st.sampled_from([(), (), *((name,) for name in CHIPS)]))
        found["roles"] = (WorkerRole("other", more, draw(shapes if chips else light_shapes), chips),)
    return make_wishing_job(chip=chip, tenant=tenant, **found, **draw(wishes()))


def make_wishing_job(*, chip: str = "h100", tenant: str = "alpha", number: int = 1, **wishes: Any) -> Job:
    """Return a job with these fields of its specification."""
    job = make_job(number, chip, tenant=tenant)
    return replace(job, spec=replace(job.spec, **wishes))


@st.composite
def jobs(draw: st.DrawFn, *, most: int = 6) -> list[Job]:
    return [
        _with_wishes(
            draw(wishes()),
            make_job(
                number,
                draw(any_of | exact_mix),
                workers=draw(st.integers(1, 4)),
                shape=draw(shapes),
                tenant=draw(st.sampled_from(TENANTS)),
                priority=draw(st.integers(-1, 1)),
                retries=draw(st.integers(0, 1)),
                submitted_at=seconds_after_noon(draw(st.integers(0, 2))),
            ),
            draw(st.sampled_from([(), TEAM])),
        )
        for number in range(draw(st.integers(1, most)))
    ]


def _with_wishes(wishes: dict[str, Any], job: Job, labels: tuple[tuple[str, str], ...]) -> Job:
    return replace(job, spec=replace(job.spec, labels=labels, **wishes))
