from collections.abc import Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.ledger.changes import (
    AlreadyHeld,
    Hold,
    LedgerChange,
    NodeInUse,
    NotHeld,
    Overcommitted,
    PutNode,
    Release,
    RemoveNode,
    Restore,
    UnknownNode,
)
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import Node
from scheduler.core.model.resources import WorkerShape
from tests.builders import strategies as some

REFUSALS = (AlreadyHeld, NodeInUse, NotHeld, Overcommitted, UnknownNode)
ATTEMPTS = st.sampled_from(["a1", "a2", "a3"])
NODE_IDS = st.sampled_from([f"{cluster}/{name}" for cluster in ("east", "west") for name in "abcdef"])


DEMANDS = (
    demand_of(None, WorkerShape(0, 500, 512)),
    *(demand_of(chip, WorkerShape(1, 500, 0)) for chip in some.CHIPS),
    demand_of("h100", WorkerShape(0, 0, 0, 300, 10_000)),
    demand_of("mi300x", WorkerShape(2, 0, 0), is_exclusive=True),
)


@st.composite
def allocations(draw: st.DrawFn) -> tuple[Allocation, ...]:
    found = []
    for rank, node in enumerate(draw(st.lists(NODE_IDS, min_size=1, max_size=2, unique=True))):
        slots = tuple(draw(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True)))
        share = draw(st.sampled_from([(0, 0), (0, 0), (400, 10_000), (700, 0)]))
        found.append(
            Allocation(
                rank,
                node,
                draw(st.sampled_from(some.CHIPS)),
                slots[:1] if share[0] else slots,
                draw(st.sampled_from([0, 1_000])),
                512,
                share_milli=share[0],
                share_memory_mib=share[1],
            )
        )
    return tuple(found)


changes: st.SearchStrategy[LedgerChange] = st.one_of(
    st.builds(Hold, ATTEMPTS, st.sampled_from(some.TENANTS), allocations()),
    st.builds(Restore, ATTEMPTS, st.sampled_from(some.TENANTS), allocations()),
    st.builds(Release, ATTEMPTS),
    some.nodes(most=1).map(lambda found: PutNode(found[0])),
    st.builds(RemoveNode, NODE_IDS),
)
histories = st.tuples(some.nodes(most=6), st.lists(changes, max_size=25))


def reads(ledger: Ledger) -> list[object]:
    """Return all that can be read of a ledger, its indexes and counts included."""
    nodes = [f"{cluster}/{name}" for cluster in ("east", "west") for name in "abcdef"]
    pairs = [(cluster, chip) for cluster in ("east", "west") for chip in some.CHIPS]
    entries, fits = ledger.inventory.entries, [ledger.inventory.fit(demand) for demand in DEMANDS]
    return [
        ledger.digest(),
        ledger.clusters(),
        ledger.nodes_gone(),
        [(ledger.is_held(node), [fit[entries[node].leftover] for fit in fits]) for node in nodes if node in entries],
        [ledger.holders(*pair) for pair in pairs],
        [ledger.queue_devices_milli(tenant, chip) for tenant in some.TENANTS for chip in some.CHIPS],
        [ledger.inventory.levels(cluster) for cluster in ("east", "west")],
        sorted(rooms(ledger)),
    ]


def rooms(ledger: Ledger) -> Iterator[tuple[object, ...]]:
    """Yield how often each demand fits into each domain of each pool where it fits at all."""
    for (cluster, chip), tiers in ledger.inventory.pools.items():
        for (tenant, is_degraded), pool in tiers.items():
            for number, demand in enumerate(DEMANDS):
                if demand.chip == chip:
                    room = pool.room(ledger.inventory.fit(demand))
                    for domain, workers in room.sums.items():
                        if workers:
                            yield (cluster, tenant or "", is_degraded, number, domain.path, workers)


@some.fixed(90)
@given(histories)
def test_every_history_is_undone_step_by_step(history: tuple[list[Node], list[LedgerChange]]) -> None:
    nodes, steps = history
    ledger = Ledger()
    undos: list[tuple[list[object], LedgerChange]] = []
    for change in [*(PutNode(node) for node in nodes), *steps]:
        before = reads(ledger)
        try:
            undos.append((before, ledger.apply(change)))
        except REFUSALS:
            assert reads(ledger) == before
    for want, undo in reversed(undos):
        ledger.apply(undo)
        assert reads(ledger) == want


@some.fixed(60)
@given(histories, st.randoms(use_true_random=False))
def test_a_ledger_is_what_it_holds_and_not_how_it_came_about(
    history: tuple[list[Node], list[LedgerChange]], random: Random
) -> None:
    nodes, steps = history
    ledger = Ledger()
    present_nodes, present_holds = {}, {}
    for change in [*(PutNode(node) for node in nodes), *steps]:
        try:
            ledger.apply(change)
        except REFUSALS:
            continue
        match change:
            case PutNode(node):
                present_nodes[node.id] = change
            case RemoveNode(name):
                del present_nodes[name]
            case Hold(attempt, tenant, held) | Restore(attempt, tenant, held):
                present_holds[attempt] = Restore(attempt, tenant, held)
            case Release(attempt):
                del present_holds[attempt]
    fresh = Ledger()
    for present in (list(present_nodes.values()), list(present_holds.values())):
        random.shuffle(present)
        for change in present:
            fresh.apply(change)
    assert reads(fresh) == reads(ledger)
