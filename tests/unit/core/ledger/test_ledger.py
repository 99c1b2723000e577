from dataclasses import replace

import pytest

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
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.reason import Holder
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node

SMALL = make_node(devices={"h100": 4}, cpu_milli=4_000, memory_mib=4_096, pods=3)
TIGHT: dict[str, tuple[Node, Hold]] = {
    "slots": (SMALL, make_hold("a2", make_allocation((0,)))),
    "cpu": (replace(SMALL, cpu_milli=1_999), make_hold("a2", make_allocation((1,)))),
    "memory": (replace(SMALL, memory_mib=2_047), make_hold("a2", make_allocation((1,)))),
    "pods": (replace(SMALL, pods=1), make_hold("a2", make_allocation((1,)))),
    "devices": (replace(SMALL, cpu_milli=9_000), make_hold("a2", make_allocation((1, 2, 3, 4)))),
    "node": (SMALL, make_hold("a2", make_allocation((1,)), make_allocation((1,), node="mixed/n2"))),
}


@pytest.mark.parametrize("resource", TIGHT)
def test_a_hold_that_passes_a_limit_is_refused_and_leaves_no_trace(resource: str) -> None:
    node, hold = TIGHT[resource]
    ledger = make_ledger(node)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    before = ledger.digest()
    with pytest.raises(Overcommitted) as refused:
        ledger.apply(hold)
    assert refused.value.resource == resource
    assert ledger.digest() == before
    assert not ledger.has_hold("a2")
    assert ledger.devices_free("mixed", "h100") == 3


def test_a_hold_may_use_a_node_up_to_its_last_pod() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", *(make_allocation((slot,)) for slot in range(3))))
    assert ledger.spare("mixed/n1").pods == 0
    assert ledger.free_slots("mixed/n1", "h100") == (3,)


UNDOABLE: list[LedgerChange] = [
    make_hold("a2", make_allocation((1, 2))),
    Restore("a2", "beta", (make_allocation((1,)),)),
    Release("a1"),
    PutNode(make_node("n2")),
    PutNode(replace(SMALL, state=NodeState.DRAINED)),
    PutNode(replace(SMALL, state=NodeState.GONE)),
    PutNode(make_node(devices={"mlu": 2})),
    RemoveNode("mixed/spare"),
]


@pytest.mark.parametrize("change", UNDOABLE, ids=lambda change: type(change).__name__)
def test_every_change_is_undone_by_what_it_returns(change: LedgerChange) -> None:
    ledger = make_ledger(SMALL, make_node("spare"))
    ledger.apply(make_hold("a1", make_allocation((0,))))
    before = ledger.digest()
    undo = ledger.apply(change)
    want_after = ledger.digest()
    assert want_after != before
    redo = ledger.apply(undo)
    assert ledger.digest() == before
    ledger.apply(redo)
    assert ledger.digest() == want_after


def test_a_release_is_undone_even_on_a_node_that_shrank_meanwhile() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((2, 3))))
    ledger.apply(PutNode(make_node(devices={"h100": 1}, cpu_milli=10, memory_mib=10, pods=0)))
    before = ledger.digest()
    ledger.apply(ledger.apply(Release("a1")))
    assert ledger.digest() == before


def test_an_attempt_holds_once_and_is_released_once() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    with pytest.raises(AlreadyHeld):
        ledger.apply(make_hold("a1", make_allocation((1,))))
    ledger.apply(Release("a1"))
    with pytest.raises(NotHeld):
        ledger.apply(Release("a1"))


def test_a_truth_that_contradicts_another_is_refused() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    with pytest.raises(Overcommitted, match="slots"):
        ledger.apply(Restore("a2", "beta", (make_allocation((0,)),)))


@pytest.mark.parametrize("state", [NodeState.DRAINED, NodeState.GONE])
def test_a_node_that_takes_no_new_work_keeps_what_it_runs(state: NodeState) -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    ledger.apply(PutNode(replace(SMALL, state=state)))
    assert ledger.holders("mixed", "h100") == (Holder("alpha", 1),)
    assert ledger.tenant_devices("alpha", "h100") == 1
    assert ledger.devices_free("mixed", "h100") == 0
    assert ledger.devices_drained("mixed", "h100") == (3 if state is NodeState.DRAINED else 0)
    assert list(ledger.nodes_with_free("mixed", "h100", at_least=1)) == []
    assert ledger.clusters() == (("mixed",) if state is NodeState.DRAINED else ())
    assert [node.id for node in ledger.nodes_gone()] == (["mixed/n1"] if state is NodeState.GONE else [])


def test_a_node_in_use_is_not_forgotten() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    with pytest.raises(NodeInUse):
        ledger.apply(RemoveNode("mixed/n1"))
    assert ledger.is_held("mixed/n1")


def test_an_unknown_node_has_no_free_capacity_to_read() -> None:
    ledger = Ledger()
    assert not ledger.has_node("mixed/n1")
    for read in (ledger.node, ledger.spare, ledger.is_held):
        with pytest.raises(UnknownNode):
            read("mixed/n1")
    with pytest.raises(UnknownNode):
        ledger.apply(RemoveNode("mixed/n1"))


def test_a_chip_that_nobody_has_is_zero_everywhere() -> None:
    ledger = make_ledger(SMALL)
    assert ledger.devices_free("mixed", "mlu") == 0
    assert ledger.devices_drained("mixed", "mlu") == 0
    assert ledger.nodes_with("mixed", "mlu") == ()
    assert ledger.holders("mixed", "mlu") == ()
    assert list(ledger.nodes_with_free("mixed", "mlu", at_least=0)) == []


def test_a_node_that_changes_its_chips_moves_between_the_buckets() -> None:
    ledger = make_ledger(make_node(devices={"h100": 4}))
    ledger.apply(PutNode(make_node(devices={"mlu": 2})))
    assert ledger.devices_free("mixed", "h100") == 0
    assert list(ledger.nodes_with_free("mixed", "mlu", at_least=1)) == [("mixed/n1", 2)]


def test_a_hold_is_no_change_of_the_nodes_themselves() -> None:
    ledger = make_ledger(SMALL)
    before = (ledger.changes, ledger.node_changes)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    assert (ledger.changes, ledger.node_changes) == (before[0] + 1, before[1])
    ledger.apply(PutNode(SMALL))
    assert ledger.node_changes == before[1] + 1
