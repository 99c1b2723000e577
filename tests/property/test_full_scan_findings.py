"""Histories on which the ledger and the full scan once disagreed, each as short as it can be told."""

import pytest

from scheduler.core.ledger.changes import Hold, LedgerChange, Overcommitted, PutNode, Release, RemoveNode, Restore
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import Node
from scheduler.core.model.resources import WorkerShape
from tests.builders.core import make_allocation, make_ledger, make_node, make_share

ONE = WorkerShape(1, 0, 0)


def fit(ledger: Ledger, shape: WorkerShape = ONE, chip: str = "h100", node: str = "mixed/n1") -> int:
    """Return how often a shape fits on a node."""
    return ledger.inventory.fit(demand_of(chip, shape))[ledger.inventory.entries[node].leftover]


def restored(node: Node, *allocations: Allocation) -> Ledger:
    """Return a ledger that came to know a node as it is, and then what each attempt holds there."""
    ledger = make_ledger(node)
    for number, allocation in enumerate(allocations):
        ledger.apply(Restore(f"a{number}", "alpha", (allocation,)))
    return ledger


def undone(ledger: Ledger, *changes: LedgerChange) -> str:
    """Do changes, take them back, and return the digest with what fits."""
    undos = [ledger.apply(change) for change in changes]
    for undo in reversed(undos):
        ledger.apply(undo)
    return ledger.digest()


def test_a_device_of_which_more_is_held_than_there_is_takes_nothing_from_the_others() -> None:
    share = WorkerShape(0, 0, 0, 300, 30_000)
    ledger = restored(make_node(devices={"h100": 2}, device_memory_mib=40_000), make_share(0, 200, 75_000))
    assert fit(ledger, share) == 1


def test_slots_that_became_those_of_another_chip_type_are_free_for_nobody_however_the_ledger_came_about() -> None:
    held = make_allocation((4, 5))
    before, after = make_node(devices={"h100": 6}), make_node(devices={"h100": 4, "mi300x": 2})
    followed = restored(before, held)
    followed.apply(PutNode(after))
    fresh = restored(after, held)
    assert [fit(ledger, chip="mi300x") for ledger in (followed, fresh)] == [0, 0]
    assert followed.digest() == fresh.digest()


def test_what_is_released_and_retaken_on_a_renumbered_node_keeps_its_slots() -> None:
    ledger = restored(make_node(devices={"h100": 4, "mi300x": 2}), make_allocation((4, 5)))
    undone(ledger, Release("a0"))
    assert fit(ledger, chip="mi300x") == 0


def test_shares_of_a_device_that_the_node_no_longer_has_are_restored_beside_each_other_and_released() -> None:
    ledger = restored(make_node(devices={"h100": 2}), make_share(3, 400), make_share(3, 400))
    ledger.apply(Release("a0"))
    assert ledger.is_held("mixed/n1")
    ledger.apply(Release("a1"))
    assert fit(ledger) == 2
    assert not ledger.is_held("mixed/n1")


def test_what_was_released_before_its_node_went_is_held_again_once_both_are_undone() -> None:
    ledger = restored(make_node(), make_allocation((0, 1)))
    want = ledger.digest()
    assert undone(ledger, Release("a0"), RemoveNode("mixed/n1")) == want
    assert ledger.is_held("mixed/n1")
    assert fit(ledger) == 6


@pytest.mark.parametrize(
    "allocation",
    [
        pytest.param(Allocation(0, "mixed/n1", None, (0,), 0, 0), id="a slot of no chip type"),
        pytest.param(Allocation(0, "mixed/n1", None, (), 0, 0, counted=1), id="a device of no chip type"),
        pytest.param(Allocation(0, "mixed/n1", "h100", (), 0, 0, share_milli=500), id="a share of no device"),
        pytest.param(Allocation(0, "mixed/n1", "h100", (0, 1), 0, 0, share_milli=500), id="a share of two devices"),
    ],
)
def test_what_the_database_would_not_write_is_refused(allocation: Allocation) -> None:
    with pytest.raises(Overcommitted):
        make_ledger(make_node()).apply(Hold("a1", "alpha", (allocation,)))
