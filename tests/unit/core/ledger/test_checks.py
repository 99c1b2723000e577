from dataclasses import replace

import pytest

from scheduler.core.ledger.changes import Hold, Overcommitted, Restore
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import Cluster, ForeignUse, Node, NodeState
from tests.builders.core import can_hold, make_allocation, make_hold, make_ledger, make_node, make_share

SMALL = make_node(devices={"h100": 4, "mlu": 1}, cpu_milli=4_000, memory_mib=4_096, pods=3)
COUNTING = Cluster("mixed", "kubernetes", binds_devices=False, enforces_shares=False)
SLOT_1 = make_hold("a2", make_allocation((1,)))
TIGHT: dict[str, tuple[Node, Hold]] = {
    "slots": (SMALL, make_hold("a2", make_allocation((0,)))),
    "cpu": (replace(SMALL, cpu_milli=1_999), SLOT_1),
    "memory": (replace(SMALL, memory_mib=2_047), SLOT_1),
    "pods": (replace(SMALL, pods=1), SLOT_1),
    "devices": (replace(SMALL, foreign=ForeignUse(devices=(("h100", 3),))), SLOT_1),
    "node": (SMALL, make_hold("a2", make_allocation((1,)), make_allocation((1,), node="mixed/n2"))),
    "share": (SMALL, make_hold("a2", make_share(1, 600), make_share(1, 600))),
}


def refused_resource(ledger: Ledger, *allocations: Allocation, tenant: str = "alpha") -> str | None:
    """Return what a hold would lack, None where nothing."""
    try:
        ledger.apply(make_hold("a2", *allocations, tenant=tenant))
    except Overcommitted as refused:
        return refused.resource
    return None


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
    assert ledger.queue_devices_milli("alpha", "h100") == 1_000


def test_a_hold_may_use_a_node_up_to_its_last_pod() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", *(make_allocation((slot,)) for slot in range(3))))
    assert refused_resource(ledger, make_allocation((3,), cpu_milli=0, memory_mib=0)) == "pods"


def test_a_slot_named_twice_is_refused() -> None:
    assert refused_resource(make_ledger(make_node()), make_allocation((3,)), make_allocation((3,))) == "slots"
    assert refused_resource(make_ledger(make_node()), make_allocation((3,)), make_share(3, 100)) == "slots"


@pytest.mark.parametrize(
    "held",
    [make_allocation((4,)), make_allocation((0,), chip="mlu"), make_allocation((9,)), make_share(4, 100)],
    ids=["another type's", "the other way round", "there is none", "a share of another type's"],
)
def test_a_slot_that_is_not_one_of_the_chip_type_is_refused(held: Allocation) -> None:
    assert refused_resource(make_ledger(SMALL), held) == "slots"


def test_devices_of_a_chip_type_that_the_node_lacks_are_refused() -> None:
    ledger = make_ledger(SMALL)
    assert refused_resource(ledger, make_allocation((0,), chip="a800")) == "devices"
    assert refused_resource(ledger, replace(make_share(0, 100), chip="a800")) == "devices"


@pytest.mark.parametrize("state", NodeState)
def test_only_a_ready_or_degraded_node_takes_new_work(state: NodeState) -> None:
    want = None if state in {NodeState.READY, NodeState.DEGRADED} else "node"
    assert refused_resource(make_ledger(replace(SMALL, state=state)), make_allocation((0,))) == want


def test_a_tenants_own_node_is_for_that_tenant_alone() -> None:
    ledger = make_ledger(replace(SMALL, tenant="beta"))
    assert refused_resource(ledger, make_allocation((0,)), tenant="alpha") == "node"
    assert refused_resource(ledger, make_allocation((0,)), tenant="beta") is None


def test_two_shares_meet_on_one_device_as_long_as_compute_and_memory_last() -> None:
    ledger = make_ledger(make_node(devices={"h100": 1}))
    ledger.apply(make_hold("a1", make_share(0, 600, 41_920)))
    assert refused_resource(ledger, make_share(0, 401, 0)) == "share"
    assert refused_resource(ledger, make_share(0, 1, 40_001)) == "share"
    assert refused_resource(ledger, make_share(0, 400, 40_000)) is None
    assert not can_hold(ledger, make_share(0, 1))


def test_shares_of_one_attempt_may_meet_on_one_device_too() -> None:
    ledger = make_ledger(make_node(devices={"h100": 1}))
    assert can_hold(ledger, make_share(0, 500), make_share(0, 500))
    assert not can_hold(ledger, make_share(0, 500), make_share(0, 501))


def test_a_whole_device_needs_a_slot_that_nobody_shares() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}))
    ledger.apply(make_hold("a1", make_share(0, 1)))
    assert refused_resource(ledger, make_allocation((0,))) == "slots"
    assert refused_resource(ledger, make_allocation((1,))) is None


def test_a_share_needs_a_slot_that_nobody_holds_whole() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a1", make_allocation((0,))))
    assert refused_resource(ledger, make_share(0, 1)) == "slots"
    assert refused_resource(ledger, make_share(1, 1)) is None


def test_a_new_share_needs_a_device_that_is_not_in_foreign_hands() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}, foreign=ForeignUse(devices=(("h100", 1),))))
    ledger.apply(make_hold("a1", make_share(0, 100)))
    assert refused_resource(ledger, make_share(1, 100)) == "devices"
    assert refused_resource(ledger, make_share(0, 100)) is None


def test_a_cluster_that_binds_devices_is_told_the_slots() -> None:
    counted = make_allocation((), counted=2)
    assert refused_resource(make_ledger(SMALL), counted) == "slots"
    assert refused_resource(make_ledger(SMALL, clusters=(Cluster("mixed", "local"),)), counted) == "slots"


def test_where_devices_are_only_counted_as_many_can_be_held_as_there_are() -> None:
    ledger = make_ledger(SMALL, clusters=(COUNTING,))
    ledger.apply(make_hold("a1", make_allocation((), counted=3)))
    assert refused_resource(ledger, make_allocation((), counted=2)) == "devices"
    assert refused_resource(ledger, make_allocation((), counted=1)) is None


def test_a_cluster_that_enforces_no_shares_gives_none() -> None:
    binding = replace(COUNTING, binds_devices=True)
    assert refused_resource(make_ledger(SMALL, clusters=(binding,)), make_share(0, 100)) == "share"


def test_the_unit_of_a_nodes_workers_is_the_pod_and_one_may_count_as_many() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,), pods=3)))
    assert refused_resource(ledger, make_allocation((1,))) == "pods"
    assert refused_resource(make_ledger(SMALL), make_allocation((1,), pods=4)) == "pods"


def test_foreign_use_leaves_less_of_everything() -> None:
    foreign = ForeignUse(cpu_milli=3_500, memory_mib=4_000, pods=2)
    held = make_allocation((0,), cpu_milli=500, memory_mib=96)
    for more, want in ((held, None), (replace(held, cpu_milli=501), "cpu"), (replace(held, memory_mib=97), "memory")):
        assert refused_resource(make_ledger(replace(SMALL, foreign=foreign)), more) == want
    light = make_allocation((), chip=None, cpu_milli=0, memory_mib=0)
    assert refused_resource(make_ledger(replace(SMALL, foreign=foreign)), light, light) == "pods"


def test_the_truth_is_written_down_whatever_the_node_would_say_to_it_now() -> None:
    for node in (
        replace(SMALL, state=NodeState.GONE),
        replace(SMALL, tenant="beta"),
        make_node(devices={"h100": 1}, cpu_milli=0, memory_mib=0, pods=0),
        make_node(devices={}),
    ):
        ledger = make_ledger(node)
        held = make_allocation((1, 2))
        with pytest.raises(Overcommitted):
            ledger.apply(make_hold("a1", held))
        ledger.apply(Restore("a1", "alpha", (held,)))
        assert ledger.queue_devices_milli("alpha", "h100") == 2_000


@pytest.mark.parametrize(
    "contradicting",
    [(make_allocation((0,)),), (make_share(0, 1),), (make_allocation((1,)), make_allocation((1,)))],
    ids=["held whole", "a share of one held whole", "twice"],
)
def test_a_truth_that_contradicts_another_is_refused(contradicting: tuple[Allocation, ...]) -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    with pytest.raises(Overcommitted, match="slots"):
        ledger.apply(Restore("a2", "beta", contradicting))


def test_a_truth_about_a_node_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Overcommitted, match="node"):
        make_ledger().apply(Restore("a1", "alpha", (make_allocation((0,)),)))


def test_a_truth_about_two_shares_of_one_device_is_no_contradiction() -> None:
    ledger = make_ledger(SMALL)
    ledger.apply(Restore("a1", "alpha", (make_share(0, 600),)))
    ledger.apply(Restore("a2", "beta", (make_share(0, 600),)))
    assert not can_hold(ledger, make_share(0, 1))


@pytest.mark.parametrize("kind", [Hold, Restore])
@pytest.mark.parametrize(
    ("held", "resource"),
    [
        (replace(make_share(0, 300), slots=()), "share"),
        (replace(make_share(0, 300), slots=(0, 1)), "share"),
        (replace(make_share(0, 300), slots=(-1,)), "slots"),
        (make_allocation((0, -1)), "slots"),
    ],
    ids=["a share of no slot", "a share of two", "a share of a slot below 0", "a slot below 0"],
)
def test_what_no_node_could_ever_give_is_refused_even_as_a_truth(
    kind: type[Hold | Restore], held: Allocation, resource: str
) -> None:
    ledger = make_ledger(SMALL)
    before = ledger.digest()
    with pytest.raises(Overcommitted) as refused:
        ledger.apply(kind("a1", "alpha", (make_allocation((2,)), held)))
    assert refused.value.resource == resource
    assert ledger.digest() == before
    assert not ledger.has_hold("a1")
    assert can_hold(ledger, *(make_allocation((slot,)) for slot in range(3)))
