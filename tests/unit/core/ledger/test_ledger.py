from dataclasses import replace

import pytest

from scheduler.core.ledger.changes import (
    AlreadyHeld,
    LedgerChange,
    NodeInUse,
    NotHeld,
    PutCluster,
    PutNode,
    Release,
    RemoveNode,
    Restore,
    Retake,
    Seat,
    UnknownNode,
)
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.model.node import Cluster, ForeignUse, NodeState
from scheduler.core.model.reason import Holder
from scheduler.core.model.topology import RACK
from tests.builders.core import (
    can_hold,
    devices_free,
    make_allocation,
    make_hold,
    make_ledger,
    make_node,
    make_shape,
    make_share,
    room_for,
    slots_free,
)

SMALL = make_node(devices={"h100": 4}, cpu_milli=8_000, memory_mib=8_192, pods=5, rack="r1")
COUNTING = Cluster("mixed", "kubernetes", binds_devices=False, enforces_shares=False)
CPU_ONLY = demand_of(None, make_shape(0))


def in_use() -> Ledger:
    """Return a ledger in which somebody holds a whole device and shares of another."""
    ledger = make_ledger(SMALL, make_node("spare"))
    ledger.apply(make_hold("a1", make_allocation((0,)), make_share(3, 400, 1_000)))
    ledger.apply(make_hold("b1", make_share(3, 300, 1_000), tenant="beta"))
    return ledger


def seat_two(ledger: Ledger) -> Seat:
    entry = ledger.inventory.entries["mixed/n1"]
    return Seat("a2", "alpha", (Seating(demand_of("h100", make_shape(1)), [entry], [entry.leftover], [0b110], [2]),))


def offers(ledger: Ledger) -> list[object]:
    """Return what can be read of a ledger besides its digest."""
    nodes = [node for node in ("mixed/n1", "mixed/n2", "mixed/spare") if ledger.has_node(node)]
    return [
        [(slots_free(ledger, node), ledger.is_held(node)) for node in nodes],
        [(devices_free(ledger, chip), room_for(ledger, CPU_ONLY)) for chip in ("h100", "mlu")],
        [can_hold(ledger, make_share(3, milli)) for milli in (300, 301, 600, 601)],
        (ledger.holders("mixed", "h100"), ledger.queue_devices_milli("alpha", "h100")),
        (ledger.clusters(), ledger.nodes_gone(), ledger.inventory.levels("mixed")),
    ]


UNDOABLE: dict[str, LedgerChange] = {
    "hold": make_hold("a2", make_allocation((1, 2))),
    "hold of a share": make_hold("a2", make_share(3, 300), make_share(1, 100)),
    "hold without devices": make_hold("a2", make_allocation((), chip=None)),
    "hold of all pods": make_hold("a2", make_allocation((), chip=None, pods=2)),
    "restore": Restore("a2", "beta", (make_allocation((1,)),)),
    "restore of what is not there": Restore("a2", "beta", (make_allocation((9,)), make_share(11, 5))),
    "release": Release("a1"),
    "release of a share beside another": Release("b1"),
    "new node": PutNode(make_node("n2")),
    "node that was gone before": PutNode(make_node("n2", state=NodeState.GONE, rack="r5")),
    "drained": PutNode(replace(SMALL, state=NodeState.DRAINED)),
    "suspect": PutNode(replace(SMALL, state=NodeState.SUSPECT, note="a fan is loud")),
    "degraded": PutNode(replace(SMALL, state=NodeState.DEGRADED)),
    "gone": PutNode(replace(SMALL, state=NodeState.GONE)),
    "other devices": PutNode(make_node(devices={"mlu": 2})),
    "fewer devices": PutNode(make_node(devices={"h100": 2})),
    "smaller": PutNode(replace(SMALL, cpu_milli=1, memory_mib=1, pods=1)),
    "another rack": PutNode(replace(SMALL, topology=make_node(topology=((RACK, "r2"), ("zone", "z1"))).topology)),
    "foreign use": PutNode(replace(SMALL, foreign=ForeignUse(devices=(("h100", 4),), pods=5))),
    "somebody's own": PutNode(replace(SMALL, tenant="beta")),
    "other labels": PutNode(replace(SMALL, labels=(("disk", "fast"),))),
    "removal": RemoveNode("mixed/spare"),
}


@pytest.mark.parametrize("change", UNDOABLE)
def test_every_change_is_undone_by_what_it_returns(change: str) -> None:
    ledger = in_use()
    before, could_before = ledger.digest(), offers(ledger)
    undo = ledger.apply(UNDOABLE[change])
    after, could_after = ledger.digest(), offers(ledger)
    assert after != before
    redo = ledger.apply(undo)
    assert (ledger.digest(), offers(ledger)) == (before, could_before)
    ledger.apply(redo)
    assert (ledger.digest(), offers(ledger)) == (after, could_after)


def test_a_seat_is_undone_and_taken_again() -> None:
    ledger = in_use()
    before, could_before = ledger.digest(), offers(ledger)
    undo = ledger.apply(seat_two(ledger))
    after, could_after = ledger.digest(), offers(ledger)
    retake = ledger.apply(undo)
    assert (ledger.digest(), offers(ledger)) == (before, could_before)
    ledger.apply(retake)
    assert (ledger.digest(), offers(ledger)) == (after, could_after)


def test_what_is_said_of_a_cluster_is_unsaid_again() -> None:
    ledger = make_ledger(SMALL)
    assert ledger.cluster("mixed") is None
    undo = ledger.apply(PutCluster(COUNTING))
    assert ledger.cluster("mixed") == COUNTING
    assert not can_hold(ledger, make_share(0, 100))
    assert can_hold(ledger, make_allocation((), counted=1))
    redo = ledger.apply(undo)
    assert can_hold(ledger, make_share(0, 100))
    assert not can_hold(ledger, make_allocation((), counted=1))
    ledger.apply(redo)
    assert ledger.cluster("mixed") == COUNTING


def test_an_attempt_holds_once_and_is_released_once() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    for again in (make_hold("a1", make_allocation((1,))), Restore("a1", "alpha", (make_allocation((1,)),))):
        with pytest.raises(AlreadyHeld):
            ledger.apply(again)
    retake = ledger.apply(Release("a1"))
    with pytest.raises(NotHeld):
        ledger.apply(Release("a1"))
    ledger.apply(retake)
    assert isinstance(retake, Retake)
    before = ledger.digest()
    with pytest.raises(AlreadyHeld):
        ledger.apply(retake)
    assert ledger.digest() == before


def test_a_release_is_undone_on_a_node_that_was_forgotten_and_came_back() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((2,)), make_share(3, 400, 1_000)))
    before, could_before = ledger.digest(), offers(ledger)
    retake = ledger.apply(Release("a1"))
    ledger.apply(RemoveNode("mixed/n1"))
    ledger.apply(PutNode(SMALL))
    ledger.apply(retake)
    assert (ledger.digest(), offers(ledger)) == (before, could_before)


def test_the_nodes_of_an_attempt_are_named_once_each() -> None:
    ledger = make_ledger(make_node("b"), make_node("a"))
    held = [make_allocation((slot,), node=f"mixed/{name}") for name, slot in (("b", 0), ("a", 0), ("b", 1))]
    ledger.apply(make_hold("a1", *held, make_share(7, 100, node="mixed/b")))
    assert ledger.nodes_of("a1") == ("mixed/a", "mixed/b")
    with pytest.raises(NotHeld):
        ledger.nodes_of("a2")


def test_holders_are_counted_over_whole_devices_shares_and_devices_that_are_only_counted() -> None:
    ledger = make_ledger(
        make_node(cluster="east"), make_node(cluster="west"), clusters=(replace(COUNTING, name="west"),)
    )
    ledger.apply(make_hold("a1", make_allocation((0, 1), node="east/n1"), make_share(2, 250, node="east/n1")))
    ledger.apply(make_hold("a2", make_allocation((), counted=3, node="west/n1")))
    ledger.apply(make_hold("b1", make_share(2, 250, node="east/n1"), tenant="beta"))
    assert ledger.holders("east", "h100") == (Holder("alpha", 3), Holder("beta", 1))
    assert ledger.holders("west", "h100") == (Holder("alpha", 3),)
    assert ledger.queue_devices_milli("alpha", "h100") == 5_250
    ledger.apply(Release("a1"))
    assert ledger.holders("east", "h100") == (Holder("beta", 1),)
    assert ledger.queue_devices_milli("alpha", "h100") == 3_000


@pytest.mark.parametrize("state", [NodeState.DRAINED, NodeState.SUSPECT, NodeState.GONE])
def test_a_node_that_takes_no_new_work_keeps_what_it_runs(state: NodeState) -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    ledger.apply(PutNode(replace(SMALL, state=state)))
    is_gone = state is NodeState.GONE
    assert ledger.holders("mixed", "h100") == (Holder("alpha", 1),)
    assert ledger.queue_devices_milli("alpha", "h100") == 1_000
    assert (devices_free(ledger), slots_free(ledger)) == (0, [])
    pool = ledger.inventory.pools["mixed", "h100"][None, False]
    assert pool.devices_free("h100", takes_work=False) == (0 if is_gone else 3)
    assert ledger.clusters() == (() if is_gone else ("mixed",))
    assert ledger.nodes_gone() == (("mixed/n1",) if is_gone else ())
    assert ledger.is_held("mixed/n1")
    ledger.apply(Release("a1"))
    assert not ledger.is_held("mixed/n1")


def test_a_degraded_node_takes_work_but_stands_apart_from_sound_ones() -> None:
    ledger = make_ledger(replace(SMALL, state=NodeState.DEGRADED))
    assert (devices_free(ledger), devices_free(ledger, tier=(None, True))) == (0, 4)
    assert slots_free(ledger) == [0, 1, 2, 3]


def test_a_node_that_vanished_comes_back_with_what_it_ran() -> None:
    ledger = in_use()
    want = offers(ledger)
    ledger.apply(PutNode(replace(SMALL, state=NodeState.GONE)))
    ledger.apply(PutNode(SMALL))
    assert offers(ledger) == want
    ledger.apply(PutNode(replace(SMALL, state=NodeState.GONE)))
    ledger.apply(Release("b1"))
    ledger.apply(PutNode(SMALL))
    assert can_hold(ledger, make_share(3, 600))
    assert not can_hold(ledger, make_share(3, 601))


def test_a_tenants_own_node_is_no_room_for_others_and_keeps_theirs() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    ledger.apply(PutNode(replace(SMALL, tenant="beta")))
    assert (devices_free(ledger), devices_free(ledger, tier=("beta", False))) == (0, 3)
    assert slots_free(ledger, tenant="alpha") == []
    assert slots_free(ledger, tenant="beta") == [1, 2, 3]
    assert ledger.holders("mixed", "h100") == (Holder("alpha", 1),)


def test_what_others_use_is_not_free_and_no_slot_of_it_is_known() -> None:
    ledger = make_ledger(make_node(foreign=ForeignUse(devices=(("h100", 6),))))
    assert (devices_free(ledger), slots_free(ledger)) == (2, list(range(8)))
    assert can_hold(ledger, make_allocation((3, 7)))
    assert not can_hold(ledger, make_allocation((0, 1, 2)))
    ledger.apply(make_hold("a1", make_allocation((0, 1))))
    ledger.apply(PutNode(make_node(foreign=ForeignUse(devices=(("h100", 5),)))))
    assert devices_free(ledger) == 1


def test_a_node_to_oneself_is_one_of_which_all_pods_are_held() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,), pods=4), make_allocation((1,))))
    assert (devices_free(ledger), room_for(ledger, CPU_ONLY), slots_free(ledger)) == (0, 0, [])
    alone = demand_of("h100", make_shape(1), is_exclusive=True)
    assert room_for(make_ledger(SMALL), alone) == 4
    ledger.apply(Release("a1"))
    ledger.apply(make_hold("a2", make_allocation((), chip=None)))
    assert room_for(ledger, alone) == 0


def test_a_node_in_use_is_not_forgotten() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((), chip=None)))
    with pytest.raises(NodeInUse):
        ledger.apply(RemoveNode("mixed/n1"))
    assert ledger.is_held("mixed/n1")
    assert ledger.has_node("mixed/n1")


def test_nothing_is_known_of_an_unknown_node() -> None:
    ledger = Ledger()
    assert not ledger.has_node("mixed/n1")
    for read in (ledger.node, ledger.is_held):
        with pytest.raises(UnknownNode):
            read("mixed/n1")
    with pytest.raises(UnknownNode):
        ledger.apply(RemoveNode("mixed/n1"))


def test_a_chip_that_nobody_has_is_zero_everywhere() -> None:
    ledger = make_ledger(SMALL)
    assert devices_free(ledger, "mlu") == 0
    assert ledger.holders("mixed", "mlu") == ()
    assert ledger.queue_devices_milli("alpha", "mlu") == 0
    assert ("mixed", "mlu") not in ledger.inventory.pools


def test_a_node_that_changes_its_chips_offers_the_new_ones() -> None:
    ledger = make_ledger(make_node(devices={"h100": 4}))
    assert (devices_free(ledger), devices_free(ledger, "mlu")) == (4, 0)
    ledger.apply(PutNode(make_node(devices={"mlu": 2})))
    assert (devices_free(ledger), devices_free(ledger, "mlu")) == (0, 2)


def test_a_ledger_is_what_it_holds_and_not_how_it_came_about() -> None:
    ledger = make_ledger(make_node("spare"), replace(SMALL, pods=50))
    ledger.apply(make_hold("b1", make_share(3, 300, 1_000), tenant="beta"))
    ledger.apply(make_hold("x1", make_allocation((1,))))
    ledger.apply(make_hold("a1", make_allocation((0,)), make_share(3, 400, 1_000)))
    ledger.apply(PutNode(make_node("gone by")))
    ledger.apply(PutNode(SMALL))
    ledger.apply(RemoveNode("mixed/gone by"))
    ledger.apply(Release("x1"))
    assert (ledger.digest(), offers(ledger)) == (in_use().digest(), offers(in_use()))


def test_nodes_that_come_at_once_stand_where_they_would_one_by_one() -> None:
    nodes = [
        make_node("a", rack="r1", state=NodeState.GONE),
        make_node("e", rack="r1", pods=1),
        make_node("d", rack="r1", pods=1),
        make_node("c", rack="r2", pods=1),
        make_node("b", rack="r1", pods=2),
        make_node("f", rack="r3", state=NodeState.GONE),
    ]
    one_by_one, at_once = make_ledger(*nodes), Ledger()
    at_once.add_nodes(nodes)
    assert at_once.digest() == one_by_one.digest()
    assert [room_for(ledger, CPU_ONLY) for ledger in (one_by_one, at_once)] == [5, 5]
    assert at_once.nodes_gone() == one_by_one.nodes_gone() == ("mixed/a", "mixed/f")
    for ledger in (one_by_one, at_once):
        racks = ledger.inventory.root("mixed").children
        members = {name: [entry.id for entry in rack.members] for (_, name), rack in racks.items()}
        assert members == {"r1": ["mixed/b", "mixed/d", "mixed/e"], "r2": ["mixed/c"]}


def test_all_that_is_held_is_told_with_its_holder() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a1", make_allocation(slots=(0, 1))))
    assert ledger.all_held() == (("mixed", "h100", "alpha", 2_000),)


def test_an_allocation_is_named_by_the_string_that_the_ledger_has_of_its_node() -> None:
    ledger = make_ledger(SMALL)
    (known,) = ledger.inventory.entries
    read = make_allocation((0,), node=known.encode().decode())
    assert read.node is not known
    named = ledger.named(read)
    assert named == read
    assert named.node is known
    assert ledger.named(named) is named
    assert read.node is not known, "what was given is as it was"


def test_an_allocation_on_a_node_that_nobody_knows_keeps_its_name() -> None:
    read = make_allocation((0,), node="mixed/n9")
    assert make_ledger(SMALL).named(read) is read


def test_what_is_released_for_good_is_taken_in_by_the_rooms_at_once_and_can_still_be_undone() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    fit = ledger.inventory.fit(demand_of("h100", make_shape(1)))
    room = ledger.inventory.pools["mixed", "h100"][None, False].room(fit)
    before, fitted = ledger.digest(), room.total
    undo = ledger.release("a1")
    assert room.total == fitted + 1
    ledger.apply(undo)
    assert ledger.digest() == before
    with pytest.raises(NotHeld):
        ledger.release("a2")
