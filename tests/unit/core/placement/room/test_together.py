"""Whether the parts of a gang could ever be held together, by sums."""

from typing import Any

import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import ExactMix, WorkerRole
from scheduler.core.model.node import ForeignUse, NodeState
from scheduler.core.model.reason import Resource
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import NODE, RACK, Closeness
from scheduler.core.placement.request import GangRequest
from scheduler.core.placement.room.fitting import can_never_fit
from scheduler.core.placement.room.together import NOWHERE, Lack, lack_together
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape
from tests.builders.placing import NO_DEVICE, ask, find

H100 = (Resource.DEVICES, "h100")


def lack_of(ledger: Ledger, request: GangRequest) -> Lack | None:
    return lack_together(ledger.inventory, "mixed", request, request.options[0])


def more(workers: int, shape: WorkerShape, *chips: str) -> dict[str, Any]:
    """Return the wish for one role more."""
    return {"roles": (WorkerRole("more", workers, shape, chips),)}


@pytest.fixture
def racks() -> Ledger:
    """Two racks of two nodes with four devices each, one of which is held; the second rack has a third node."""
    ledger = make_ledger(
        *(make_node(f"r{rack}{at}", {"h100": 4}, rack=f"r{rack}") for rack, at in ((1, 1), (1, 2), (2, 1), (2, 2))),
        make_node("r23", {"mlu": 4}, rack="r2"),
    )
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/r11")))
    return ledger


def test_two_parts_each_of_which_needs_all_devices_never_fit_together(racks: Ledger) -> None:
    assert lack_of(racks, ask(16, **more(1, make_shape(1), "h100"))) == Lack(H100, 17_000, 16_000)
    assert lack_of(racks, ask(15, **more(1, make_shape(1), "h100"))) is None
    near = Closeness(RACK)
    assert lack_of(racks, ask(8, **more(1, make_shape(4), "h100"), closeness=near)) == Lack(H100, 12_000, 8_000)
    assert lack_of(racks, ask(4, **more(1, make_shape(4), "h100"), closeness=near)) is None
    on_one = Closeness(NODE)
    assert lack_of(racks, ask(3, **more(1, make_shape(2), "h100"), closeness=on_one)) == Lack(H100, 5_000, 4_000)
    assert lack_of(racks, ask(2, **more(1, make_shape(2), "h100"), closeness=on_one)) is None


def test_parts_that_have_room_in_different_domains_only_have_no_place(racks: Ledger) -> None:
    mix = ExactMix((("h100", 1), ("mlu", 1)))
    assert lack_of(racks, ask(chips=mix)) is None
    assert lack_of(racks, ask(chips=mix, closeness=Closeness(RACK))) is None
    assert lack_of(racks, ask(chips=mix, closeness=Closeness(NODE))) is NOWHERE
    apart = make_ledger(make_node("a", {"h100": 1}, rack="r1"), make_node("b", {"mlu": 1}, rack="r2"))
    assert lack_of(apart, ask(chips=mix, closeness=Closeness(RACK))) is NOWHERE


@pytest.mark.parametrize(
    ("node", "resource", "most"),
    [
        ({"cpu_milli": 3_999}, Resource.CPU, 3_999),
        ({"memory_mib": 4_000}, Resource.MEMORY, 4_000),
        ({"pods": 3}, Resource.PODS, 3),
    ],
)
def test_what_all_parts_take_of_the_same_nodes_is_added_up(node: dict[str, int], resource: Resource, most: int) -> None:
    ledger = make_ledger(make_node(**node))  # type: ignore[arg-type]  # each is the amount of one resource
    lack = lack_of(ledger, ask(2, shape=make_shape(1), **more(2, NO_DEVICE)))
    assert lack is not None
    assert (lack.need, lack.most) == ((resource, None), most)
    assert lack_of(make_ledger(make_node()), ask(2, shape=make_shape(1), **more(2, NO_DEVICE))) is None


def test_only_what_workers_could_take_of_a_node_counts() -> None:
    """The other node has cpu in plenty, but none of the devices that workers need beside it."""
    ledger = make_ledger(make_node("a", {"h100": 2, "mlu": 2}, cpu_milli=3_000), make_node("b", {}))
    mix = ExactMix((("h100", 2), ("mlu", 2)))
    assert lack_of(ledger, ask(chips=mix, shape=make_shape(1))) == Lack((Resource.CPU, None), 4_000, 3_000)
    assert lack_of(ledger, ask(2, shape=make_shape(1), **more(9, NO_DEVICE))) is None


def test_parts_of_an_exclusive_gang_need_nodes_of_their_own(racks: Ledger) -> None:
    alone: dict[str, Any] = {"exclusive": True}
    assert lack_of(racks, ask(13, **more(5, make_shape(0)), **alone)) is None
    assert lack_of(racks, ask(16, **more(1, make_shape(1), "mlu"), **alone)) is None
    assert lack_of(racks, ask(12, **more(2, make_shape(2), "h100"), **alone)) is None
    assert lack_of(racks, ask(13, **more(3, make_shape(1), "h100"), **alone)) == Lack(None, 5, 4)
    assert lack_of(racks, ask(8, **more(1, NO_DEVICE), **alone, closeness=Closeness(RACK))) is None
    one_rack = make_ledger(*(make_node(name, {"h100": 4}, rack="r1") for name in "ab"))
    assert lack_of(one_rack, ask(8, **more(1, NO_DEVICE), **alone, closeness=Closeness(RACK))) == Lack(None, 3, 2)


def test_it_is_the_empty_cluster_that_counts_with_nodes_that_sleep_and_without_those_of_others() -> None:
    asleep = make_node("b", {"h100": 2}, state=NodeState.DRAINED)
    others = (
        make_node("c", {"h100": 2}, tenant="beta"),
        make_node("d", {"h100": 2}, foreign=ForeignUse((("h100", 2),))),
        make_node("e", {"h100": 2}, cluster="west"),
    )
    ledger = make_ledger(make_node("a", {"h100": 2}), asleep, *others)
    assert lack_of(ledger, ask(3, **more(1, make_shape(1), "h100"))) is None
    assert lack_of(ledger, ask(4, **more(1, make_shape(1), "h100"))) == Lack(H100, 5_000, 4_000)


def test_one_part_lacks_nothing_together(racks: Ledger) -> None:
    assert lack_of(racks, ask(99)) is None


def test_who_lacks_something_together_can_never_fit(racks: Ledger) -> None:
    for workers, want in ((15, False), (16, True)):
        request = ask(workers, **more(1, make_shape(1), "h100"))
        assert can_never_fit(racks, request) is want
        assert find(racks, request) is None
