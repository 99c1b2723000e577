from dataclasses import replace

import pytest

from scheduler.core.ledger.changes import PutNode, Release, Restore
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import ForeignUse, Node, NodeState
from tests.builders.core import (
    can_hold,
    devices_free,
    make_allocation,
    make_hold,
    make_ledger,
    make_node,
    make_share,
    slots_free,
)

FOUR = make_node(devices={"h100": 4}, cpu_milli=4_000, memory_mib=8_192, pods=4)
HELD = make_allocation((2, 3))


def offers(ledger: Ledger) -> list[object]:
    """Return what the node still offers, however it is asked."""
    cpu = [cpu_milli for cpu_milli in range(0, 9_000, 500) if can_hold(ledger, light(cpu_milli=cpu_milli))]
    pods = [pods for pods in range(1, 9) if can_hold(ledger, *[light()] * pods)]
    shares = [
        (slot, milli)
        for slot in ledger.node("mixed/n1").slots("h100")
        for milli in (100, 500, 900)
        if can_hold(ledger, make_share_only(slot, milli))
    ]
    free = [(chip, devices_free(ledger, chip), slots_free(ledger, chip=chip)) for chip in ("h100", "mlu")]
    return [cpu[-1:], pods[-1:], shares, free]


def light(*, cpu_milli: int = 0) -> Allocation:
    return make_allocation((), chip=None, cpu_milli=cpu_milli, memory_mib=0)


def make_share_only(slot: int, milli: int) -> Allocation:
    return replace(make_share(slot, milli), cpu_milli=0, memory_mib=0)


def held_on(node: Node, *held: Allocation, then: Node) -> Ledger:
    """Return a ledger in which a node became another one under what it runs."""
    ledger = make_ledger(node)
    ledger.apply(make_hold("a1", *held))
    ledger.apply(PutNode(then))
    return ledger


def test_a_node_that_grows_offers_what_was_added() -> None:
    ledger = held_on(FOUR, HELD, then=make_node(devices={"h100": 6}, cpu_milli=5_000, pods=6))
    assert (slots_free(ledger), devices_free(ledger)) == ([0, 1, 4, 5], 4)
    assert offers(ledger)[:2] == [[4_000], [5]]


def test_a_node_that_gets_more_cpu_and_other_labels_keeps_its_slots() -> None:
    ledger = held_on(FOUR, HELD, make_share(0, 400), then=replace(FOUR, cpu_milli=6_000, labels=(("disk", "fast"),)))
    assert (slots_free(ledger), devices_free(ledger)) == ([1], 1)
    assert offers(ledger)[0] == [4_000]
    assert can_hold(ledger, make_share(0, 600))
    assert not can_hold(ledger, make_share(0, 601))


def test_a_node_that_shrank_under_what_it_runs_has_nothing_free_and_never_less() -> None:
    ledger = held_on(FOUR, HELD, then=make_node(devices={"h100": 2}, cpu_milli=1, memory_mib=1, pods=0))
    assert (slots_free(ledger), devices_free(ledger)) == ([], 0)
    assert not can_hold(ledger, light())


def test_a_node_that_shrank_a_little_offers_what_its_count_allows() -> None:
    ledger = held_on(make_node(), make_allocation((6, 7)), then=make_node(devices={"h100": 6}))
    assert devices_free(ledger) == 4
    assert can_hold(ledger, make_allocation((0, 1, 2, 3)))
    assert not can_hold(ledger, make_allocation((0, 1, 2, 3, 4)))


def test_slots_that_became_those_of_another_chip_type_stay_held() -> None:
    ledger = held_on(
        make_node(devices={"h100": 2}), make_allocation((0, 1)), then=make_node(devices={"mlu": 2, "h100": 4})
    )
    assert (devices_free(ledger, "mlu"), slots_free(ledger, chip="mlu")) == (0, [])
    assert devices_free(ledger) == 2
    ledger.apply(Release("a1"))
    assert (devices_free(ledger, "mlu"), devices_free(ledger)) == (2, 4)
    assert (slots_free(ledger, chip="mlu"), slots_free(ledger)) == ([0, 1], [2, 3, 4, 5])
    assert not ledger.is_held("mixed/n1")


MOVES: dict[str, tuple[Allocation, Node]] = {
    "shrinks": (HELD, make_node(devices={"h100": 1}, cpu_milli=10, memory_mib=10, pods=0)),
    "grows": (HELD, make_node(devices={"h100": 8})),
    "has no devices any more": (HELD, make_node(devices={})),
    "has another chip": (HELD, make_node(devices={"mlu": 4})),
    "is numbered anew": (HELD, make_node(devices={"mlu": 3, "h100": 4})),
    "loses a shared device": (make_share(3, 400, 1_000), make_node(devices={"h100": 2})),
    "is numbered anew under a share": (make_share(0, 400, 1_000), make_node(devices={"mlu": 1, "h100": 4})),
    "leaves": (HELD, replace(FOUR, state=NodeState.GONE)),
    "is used by others": (HELD, replace(FOUR, foreign=ForeignUse(devices=(("h100", 3),), cpu_milli=3_500, pods=4))),
    "becomes somebody's own": (HELD, replace(FOUR, tenant="beta")),
    "moves to another rack": (make_share(3, 400), replace(FOUR, topology=make_node(rack="r7").topology)),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_node_that_became_another_under_its_holdings_is_what_a_fresh_ledger_makes_of_the_truth(move: str) -> None:
    held, node = MOVES[move]
    followed = held_on(FOUR, held, then=node)
    fresh = make_ledger(node)
    fresh.apply(Restore("a1", "alpha", (held,)))
    assert followed.digest() == fresh.digest()
    assert offers(followed) == offers(fresh)
    for ledger in (followed, fresh):
        ledger.apply(Release("a1"))
    assert offers(followed) == offers(fresh) == offers(make_ledger(node))
    assert not followed.is_held("mixed/n1")


@pytest.mark.parametrize("move", MOVES)
def test_a_node_that_becomes_what_it_was_offers_what_it_did(move: str) -> None:
    held, node = MOVES[move]
    ledger = make_ledger(FOUR)
    ledger.apply(make_hold("a1", held))
    before, want = ledger.digest(), offers(ledger)
    undo = ledger.apply(PutNode(node))
    ledger.apply(undo)
    assert ledger.digest() == before
    assert offers(ledger) == want


@pytest.mark.parametrize("move", MOVES)
def test_a_release_is_undone_even_on_a_node_that_became_another_meanwhile(move: str) -> None:
    held, node = MOVES[move]
    ledger = held_on(FOUR, held, then=node)
    before, want = ledger.digest(), offers(ledger)
    ledger.apply(ledger.apply(Release("a1")))
    assert ledger.digest() == before
    assert offers(ledger) == want


def test_shares_of_a_device_that_is_there_no_longer_are_both_kept_and_released() -> None:
    small = make_node(devices={"h100": 2})
    fresh = make_ledger(small)
    for attempt in ("a1", "a2"):
        fresh.apply(Restore(attempt, "alpha", (make_share(3, 400),)))
    assert fresh.queue_devices_milli("alpha", "h100") == 800
    for attempt in ("a1", "a2"):
        fresh.apply(Release(attempt))
    assert offers(fresh) == offers(make_ledger(small))


def test_who_else_runs_on_a_node_that_was_numbered_anew_is_counted_right() -> None:
    ledger = held_on(FOUR, HELD, then=make_node(devices={"h100": 3, "mlu": 2}))
    ledger.apply(make_hold("a2", make_allocation((0,))))
    ledger.apply(make_hold("a3", make_allocation((4,), chip="mlu")))
    assert (slots_free(ledger), slots_free(ledger, chip="mlu")) == ([], [])
    ledger.apply(Release("a1"))
    assert (slots_free(ledger), slots_free(ledger, chip="mlu")) == ([1, 2], [3])
    assert (devices_free(ledger), devices_free(ledger, "mlu")) == (2, 1)
    for attempt in ("a2", "a3"):
        ledger.apply(Release(attempt))
    assert (slots_free(ledger), slots_free(ledger, chip="mlu")) == ([0, 1, 2], [3, 4])


def test_a_node_that_is_numbered_anew_and_then_used_by_others_is_counted_right() -> None:
    shrunk = make_node(devices={"h100": 3})
    ledger = held_on(FOUR, make_allocation((3,)), then=shrunk)
    ledger.apply(PutNode(replace(shrunk, foreign=ForeignUse(devices=(("h100", 1),)))))
    assert devices_free(ledger) == 1
    ledger.apply(Release("a1"))
    assert devices_free(ledger) == 2
