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
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import Node
from tests.builders import strategies as some

REFUSALS = (AlreadyHeld, NodeInUse, NotHeld, Overcommitted, UnknownNode)
ATTEMPTS = st.sampled_from(["a1", "a2", "a3"])
NODE_IDS = st.sampled_from([f"{cluster}/{name}" for cluster in ("east", "west") for name in "abcdef"])


@st.composite
def allocations(draw: st.DrawFn) -> tuple[Allocation, ...]:
    slots = draw(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True))
    chip = draw(st.sampled_from(some.CHIPS))
    return tuple(
        Allocation(rank, node, chip, tuple(slots), draw(st.sampled_from([0, 1_000])), 512)
        for rank, node in enumerate(draw(st.lists(NODE_IDS, min_size=1, max_size=2, unique=True)))
    )


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
    known = [node for node in nodes if ledger.has_node(node)]
    pairs = [(cluster, chip) for cluster in ("east", "west") for chip in some.CHIPS]
    return [
        ledger.digest(),
        ledger.clusters(),
        ledger.nodes_gone(),
        [
            (ledger.spare(node), ledger.is_held(node), [ledger.free_slots(node, c) for c in some.CHIPS])
            for node in known
        ],
        [(ledger.nodes_with(*pair), list(ledger.nodes_with_free(*pair, at_least=0))) for pair in pairs],
        [(ledger.devices_free(*pair), ledger.devices_drained(*pair), ledger.holders(*pair)) for pair in pairs],
        [ledger.tenant_devices(tenant, chip) for tenant in some.TENANTS for chip in some.CHIPS],
    ]


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
