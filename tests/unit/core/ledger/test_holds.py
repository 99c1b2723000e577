from dataclasses import replace

import pytest

from scheduler.core.ledger.changes import AlreadyHeld, Overcommitted, PutNode, Release, Seat
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.demand import Demand, demand_of
from scheduler.core.ledger.states.slots import mask_of
from scheduler.core.model.node import NodeState
from tests.builders.core import (
    can_hold,
    devices_free,
    make_allocation,
    make_hold,
    make_ledger,
    make_node,
    make_shape,
    make_share,
    slots_free,
)

ONE = demand_of("h100", make_shape(1))
HALF = demand_of("h100", make_shape(share_milli=500))
ALONE = demand_of("h100", make_shape(1), is_exclusive=True)


def seats(ledger: Ledger, *slots: tuple[int, ...], name: str = "n1", demand: Demand = ONE, attempt: str = "a2") -> Seat:
    """Return seats on one node as it is now: one row for each of `slots`, with a worker for each of its slots."""
    entry = ledger.inventory.entries[f"mixed/{name}"]
    seating = Seating(
        demand,
        [entry] * len(slots),
        [entry.leftover] * len(slots),
        [mask_of(row) for row in slots],
        [len(row) for row in slots],
    )
    return Seat(attempt, "alpha", (seating,))


def test_a_seat_takes_what_a_hold_of_the_same_would_take() -> None:
    seated, held = make_ledger(make_node()), make_ledger(make_node())
    seated.apply(seats(seated, (2, 5)))
    held.apply(make_hold("a2", make_allocation((2,)), make_allocation((5,))))
    assert seated.digest() == held.digest()
    assert slots_free(seated) == slots_free(held) == [0, 1, 3, 4, 6, 7]
    assert devices_free(seated) == 6
    assert seated.queue_devices_milli("alpha", "h100") == 2_000


def test_a_seat_is_given_up_whole() -> None:
    ledger = make_ledger(make_node())
    before = ledger.digest()
    undo = ledger.apply(seats(ledger, (2, 5)))
    assert undo == Release("a2")
    ledger.apply(undo)
    assert (ledger.digest(), devices_free(ledger), ledger.is_held("mixed/n1")) == (before, 8, False)


def test_who_holds_something_is_not_seated() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a2", make_allocation((0,))))
    with pytest.raises(AlreadyHeld):
        ledger.apply(seats(ledger, (2,)))


@pytest.mark.parametrize(
    "change",
    [
        make_hold("a1", make_allocation((0,))),
        PutNode(make_node(state=NodeState.DRAINED)),
        PutNode(make_node(cpu_milli=999)),
        PutNode(make_node(tenant="beta")),
    ],
    ids=["held", "drained", "shrunk", "given away"],
)
def test_a_seat_on_a_node_that_changed_since_is_refused_and_leaves_no_trace(change: PutNode) -> None:
    ledger = make_ledger(make_node())
    seat = seats(ledger, (7,))
    ledger.apply(change)
    before, free = ledger.digest(), devices_free(ledger)
    with pytest.raises(Overcommitted):
        ledger.apply(seat)
    assert (ledger.digest(), devices_free(ledger), ledger.has_hold("a2")) == (before, free, False)


def test_where_one_of_several_nodes_changed_nobody_is_seated_on_any() -> None:
    ledger = make_ledger(make_node("n1"), make_node("n2"), make_node("n3"))
    parts = [seats(ledger, (0, 1), name=name).seatings[0] for name in ("n1", "n2", "n3")]
    parts[1].extend(parts[2])
    ledger.apply(make_hold("a1", make_allocation((7,), node="mixed/n3")))
    before = ledger.digest()
    with pytest.raises(Overcommitted):
        ledger.apply(Seat("a2", "alpha", (parts[0], parts[1])))
    assert (ledger.digest(), devices_free(ledger)) == (before, 23)
    assert slots_free(ledger, "mixed/n2") == list(range(8))
    assert ledger.queue_devices_milli("alpha", "h100") == 1_000


def test_a_seat_whose_slot_went_to_another_is_refused_though_as_many_are_free_as_then() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a1", make_allocation((0,))))
    seat = seats(ledger, (1,))
    ledger.apply(Release("a1"))
    ledger.apply(make_hold("a3", make_allocation((1,))))
    before = ledger.digest()
    with pytest.raises(Overcommitted):
        ledger.apply(seat)
    assert ledger.digest() == before


def test_a_share_whose_device_went_to_another_is_refused_though_the_node_looks_as_it_did_then() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}))
    ledger.apply(make_hold("a1", make_share(0, 400)))
    ledger.apply(make_hold("a3", make_share(1, 900)))
    seat = seats(ledger, (0,), demand=HALF)
    for attempt in ("a1", "a3"):
        ledger.apply(Release(attempt))
    ledger.apply(make_hold("a1", make_share(1, 400)))
    ledger.apply(make_hold("a3", make_share(0, 900)))
    with pytest.raises(Overcommitted):
        ledger.apply(seat)
    assert can_hold(ledger, make_share(0, 100))


def test_shares_take_of_a_device_what_they_are_and_give_it_back() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}))
    before = ledger.digest()
    ledger.apply(seats(ledger, (1,), demand=HALF))
    assert (devices_free(ledger), slots_free(ledger)) == (1, [0])
    assert can_hold(ledger, make_share(1, 500))
    assert not can_hold(ledger, make_share(1, 501))
    ledger.apply(seats(ledger, (1,), demand=HALF, attempt="a3"))
    assert not can_hold(ledger, make_share(1, 1))
    ledger.apply(Release("a2"))
    assert (devices_free(ledger), can_hold(ledger, make_share(1, 500))) == (1, True)
    ledger.apply(Release("a3"))
    assert (ledger.digest(), devices_free(ledger), slots_free(ledger)) == (before, 2, [0, 1])
    assert not ledger.is_held("mixed/n1")


def test_a_worker_that_is_to_be_alone_takes_every_pod_of_its_node() -> None:
    ledger = make_ledger(make_node(pods=5))
    ledger.apply(seats(ledger, (0,), demand=ALONE))
    assert devices_free(ledger) == 0
    assert not can_hold(ledger, make_allocation((1,)))
    ledger.apply(Release("a2"))
    assert devices_free(ledger) == 5


def test_each_node_of_a_gang_that_is_to_be_alone_gives_its_own_pods() -> None:
    ledger = make_ledger(make_node("n1", pods=5), make_node("n2", pods=9))
    seating = seats(ledger, (0,), demand=ALONE).seatings[0]
    seating.extend(seats(ledger, (0,), name="n2", demand=ALONE).seatings[0])
    ledger.apply(Seat("a2", "alpha", (seating,)))
    for node in ("mixed/n1", "mixed/n2"):
        assert not can_hold(ledger, make_allocation((1,), node=node))
    ledger.apply(PutNode(make_node("n1", pods=6)))
    assert can_hold(ledger, make_allocation((1,)))
    ledger.apply(PutNode(make_node("n2", pods=9, labels=(("disk", "fast"),))))
    assert not can_hold(ledger, make_allocation((1,), node="mixed/n2"))


def test_seats_without_slots_are_only_counted() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}))
    entry = ledger.inventory.entries["mixed/n1"]
    ledger.apply(Seat("a2", "alpha", (Seating(ONE, [entry], [entry.leftover], [0], [2]),)))
    assert (devices_free(ledger), ledger.queue_devices_milli("alpha", "h100")) == (0, 2_000)


def test_whole_devices_of_two_chip_types_and_shares_are_held_side_by_side() -> None:
    ledger = make_ledger(make_node(devices={"h100": 4, "mlu": 2}))
    before = ledger.digest()
    mlu = make_allocation((5,), chip="mlu")
    ledger.apply(make_hold("a1", make_allocation((0, 1)), mlu, make_share(3, 250), make_allocation((), chip=None)))
    assert (slots_free(ledger), slots_free(ledger, chip="mlu")) == ([2], [4])
    assert (devices_free(ledger), devices_free(ledger, "mlu")) == (1, 1)
    assert ledger.queue_devices_milli("alpha", "h100") == 2_250
    assert ledger.queue_devices_milli("alpha", "mlu") == 1_000
    ledger.apply(Release("a1"))
    assert ledger.digest() == before


def test_nobody_keeps_names_for_those_who_do_not_ask_without_end() -> None:
    ledger = make_ledger(make_node())
    for number in range(3_000):
        ledger.apply(make_hold("a1", replace(make_allocation((number % 8,)))))
        ledger.apply(Release("a1"))
    assert len(ledger.inventory.entries["mixed/n1"].leftover.names.fresh) < 1_000
