import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import Demand, Fit, amounts_for, demand_of, shares_that_fit
from scheduler.core.ledger.states.leftover import Leftover
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import ForeignUse, Node, NodeState
from scheduler.core.model.resources import WorkerShape
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape, make_share

NODE = make_node(devices={"h100": 8}, cpu_milli=16_000, memory_mib=32_768, pods=10)
ONE = make_shape(1)


def state_of(node: Node = NODE, *held: Allocation) -> tuple[Ledger, Leftover]:
    ledger = make_ledger(node)
    if held:
        ledger.apply(make_hold("a1", *held))
    return ledger, ledger.inventory.entries[node.id].leftover


def fit(demand: Demand, node: Node = NODE, *held: Allocation) -> int:
    return Fit(demand)[state_of(node, *held)[1]]


def test_equal_demands_are_one_object_and_others_are_others() -> None:
    assert demand_of("h100", make_shape(1)) is demand_of("h100", make_shape(1))
    different = [
        demand_of("h100", ONE),
        demand_of("mlu", ONE),
        demand_of("h100", make_shape(2)),
        demand_of("h100", ONE, (("disk", "fast"),)),
        demand_of("h100", ONE, is_exclusive=True),
        demand_of("h100", ONE, most_per_node=1),
        demand_of("h100", ONE, together=2),
    ]
    assert len({id(demand) for demand in different}) == len(different)


@pytest.mark.parametrize(
    ("shape", "want"),
    [
        (WorkerShape(1, 0, 0), 8),
        (WorkerShape(3, 0, 0), 2),
        (WorkerShape(9, 0, 0), 0),
        (WorkerShape(1, 3_000, 0), 5),
        (WorkerShape(1, 0, 10_000), 3),
        (WorkerShape(0, 0, 0), 10),
        (WorkerShape(0, 4_000, 0), 4),
    ],
    ids=["devices", "devices of a large worker", "too large", "cpu", "memory", "pods", "no devices"],
)
def test_as_many_workers_fit_as_the_scarcest_resource_allows(shape: WorkerShape, want: int) -> None:
    assert fit(demand_of("h100" if shape.devices else None, shape)) == want


def test_what_is_held_leaves_room_for_fewer() -> None:
    assert fit(demand_of("h100", make_shape(2)), NODE, make_allocation((0, 1, 2))) == 2


def test_a_chip_that_the_node_lacks_does_not_fit() -> None:
    assert fit(demand_of("mlu", ONE)) == 0


def test_on_no_node_nothing_fits() -> None:
    assert Fit(demand_of("h100", ONE))[None] == 0


@pytest.mark.parametrize(
    ("state", "now", "when_empty"),
    [(NodeState.READY, 8, 8), (NodeState.DEGRADED, 8, 8), (NodeState.SUSPECT, 0, 8), (NodeState.DRAINED, 0, 8)],
)
def test_a_node_that_refuses_work_would_have_room_if_it_did_not(state: NodeState, now: int, when_empty: int) -> None:
    demand = demand_of("h100", ONE)
    _, leftover = state_of(make_node(state=state))
    assert Fit(demand)[leftover] == now
    assert Fit(demand, when_empty=True)[leftover] == when_empty
    assert Fit(demand).on_empty(leftover.kind) == when_empty


def test_an_empty_node_is_what_is_left_when_medley_runs_nothing_but_others_do() -> None:
    node = make_node(foreign=ForeignUse(devices=(("h100", 2),)))
    _, leftover = state_of(node, make_allocation((0, 1, 2)))
    demand = demand_of("h100", ONE)
    assert (Fit(demand)[leftover], Fit(demand, when_empty=True)[leftover]) == (3, 6)


def test_where_others_have_more_than_there_is_nothing_fits_and_never_less() -> None:
    foreign = ForeignUse(devices=(("h100", 9),), cpu_milli=10**9, memory_mib=10**9, pods=999)
    for demand in (
        demand_of("h100", ONE),
        demand_of(None, make_shape(0)),
        demand_of("h100", make_shape(share_milli=1)),
    ):
        assert fit(demand, make_node(foreign=foreign)) == 0


def test_all_labels_must_be_there() -> None:
    node = make_node(labels=(("disk", "fast"), ("zone", "a")))
    assert fit(demand_of("h100", ONE, (("disk", "fast"),)), node) == 8
    assert fit(demand_of("h100", ONE, (("disk", "fast"), ("zone", "b"))), node) == 0
    assert fit(demand_of("h100", ONE, (("disk", "slow"),)), node) == 0


def test_an_exclusive_worker_needs_a_node_that_nobody_uses() -> None:
    demand = demand_of("h100", ONE, is_exclusive=True)
    assert fit(demand) == 8
    assert fit(demand, NODE, make_allocation((0,))) == 0
    assert fit(demand, make_node(foreign=ForeignUse(pods=1))) == 0
    assert Fit(demand, when_empty=True)[state_of(NODE, make_allocation((0,)))[1]] == 8


def test_no_more_of_a_gang_go_on_a_node_than_it_allows() -> None:
    assert fit(demand_of("h100", ONE, most_per_node=3)) == 3
    assert fit(demand_of("h100", make_shape(4), most_per_node=3)) == 2


def test_workers_that_come_together_count_as_one() -> None:
    assert fit(demand_of("h100", ONE, together=3)) == 2
    assert fit(demand_of("h100", ONE, together=8)) == 1
    assert fit(demand_of("h100", ONE, together=9)) == 0
    assert Fit(demand_of("h100", ONE, together=3), when_empty=True)[state_of()[1]] == 2


@pytest.mark.parametrize(
    ("share", "held", "want"),
    [
        (WorkerShape(0, 0, 0, 400, 0), (), 4),
        (WorkerShape(0, 0, 0, 400, 0), (make_share(0, 500),), 3),
        (WorkerShape(0, 0, 0, 400, 0), (make_share(0, 700),), 2),
        (WorkerShape(0, 0, 0, 100, 40_000), (), 4),
        (
            WorkerShape(0, 0, 0, 100, 40_000),
            (make_share(0, 1, 50_000),),
            2,
        ),
        (WorkerShape(0, 0, 0, 100, 90_000), (), 0),
    ],
    ids=[
        "compute",
        "beside a share",
        "no room beside a share",
        "memory",
        "no memory beside a share",
        "too much memory",
    ],
)
def test_shares_fit_into_what_is_left_of_shared_devices_and_into_whole_ones(
    share: WorkerShape, held: tuple[Allocation, ...], want: int
) -> None:
    assert fit(demand_of("h100", share), make_node(devices={"h100": 2}), *held) == want


def test_a_whole_device_needs_one_that_nobody_shares() -> None:
    assert fit(demand_of("h100", ONE), make_node(devices={"h100": 2}), make_share(0, 1)) == 1


def test_shares_of_another_chip_type_are_no_room() -> None:
    share = demand_of("mlu", make_shape(share_milli=100))
    assert fit(share, make_node(devices={"h100": 1, "mlu": 1}), make_share(0, 100)) == 10


def test_of_a_share_compute_and_memory_must_both_be_left() -> None:
    shape = make_shape(share_milli=250, share_memory_mib=1_000)
    assert shares_that_fit(shape, 1_000, 3_999) == 3
    assert shares_that_fit(shape, 499, 80_000) == 1
    assert shares_that_fit(make_shape(share_milli=250), 1_000, 0) == 4


def test_workers_take_so_much_each() -> None:
    _, leftover = state_of()
    taken = amounts_for(demand_of("h100", make_shape(2, cpu_milli=500, memory_mib=64)), 3, leftover)
    assert (taken.chip, taken.devices, taken.cpu_milli, taken.memory_mib, taken.pods) == ("h100", 6, 1_500, 192, 3)
    assert (taken.share_milli, taken.share_memory_mib) == (0, 0)


def test_who_needs_no_device_takes_none_of_any_chip_type() -> None:
    taken = amounts_for(demand_of("h100", make_shape(0)), 2, state_of()[1])
    assert (taken.chip, taken.devices, taken.pods) == (None, 0, 2)


def test_a_share_is_taken_with_its_memory() -> None:
    shape = make_shape(share_milli=250, share_memory_mib=1_000)
    taken = amounts_for(demand_of("h100", shape), 1, state_of()[1])
    assert (taken.chip, taken.devices, taken.share_milli, taken.share_memory_mib) == ("h100", 0, 250, 1_000)


def test_an_exclusive_worker_takes_all_pods_that_are_left() -> None:
    assert amounts_for(demand_of("h100", ONE, is_exclusive=True), 2, state_of()[1]).pods == 10
