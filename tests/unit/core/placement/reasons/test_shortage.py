"""Why a gang has no place in a cluster: the typed reasons in full."""

from typing import Any

import pytest

from scheduler.core.ledger.changes import PutNode
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.node_entry import NodeEntry
from scheduler.core.model.job import AnyOf, ExactMix, WorkerRole
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.reason import (
    CannotServe,
    Holder,
    KeptApart,
    Limit,
    Mismatch,
    NearestShape,
    NeverFits,
    Reason,
    Resource,
    TooFewFree,
)
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Apart, Closeness, Spread
from scheduler.core.placement.reasons.shortage import shortages
from scheduler.core.placement.request import GangRequest
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape, make_share
from tests.builders.placing import HALF_A_DEVICE, NO_DEVICE, ONE_DEVICE, ask, find


def why(ledger: Ledger, request: GangRequest, *, avoid: tuple[str, ...] = ()) -> tuple[Reason, ...]:
    assert find(ledger, request, avoid=avoid) is None, "there is a place"
    return shortages(ledger, "mixed", request, request.options[0], avoid)


def too_few(ledger: Ledger, request: GangRequest, *, avoid: tuple[str, ...] = ()) -> TooFewFree:
    (reason,) = why(ledger, request, avoid=avoid)
    assert isinstance(reason, TooFewFree)
    return reason


def never(ledger: Ledger, request: GangRequest) -> NeverFits:
    (reason,) = why(ledger, request)
    assert isinstance(reason, NeverFits)
    return reason


def test_too_few_free_says_what_is_free_and_who_holds_the_rest() -> None:
    ledger = make_ledger(
        make_node("a"),
        make_node("b"),
        make_node("c"),
        make_node("d", state=NodeState.DRAINED),
        make_node("e", {"h100": 3}, tenant="gamma"),
        make_node("f", {"h100": 5}, state=NodeState.SUSPECT),
    )
    ledger.apply(make_hold("a1", make_allocation((0, 1), node="mixed/a"), tenant="beta"))
    ledger.apply(make_hold("a2", make_allocation((2,), node="mixed/a"), make_allocation((0,), node="mixed/b")))
    ledger.apply(make_hold("a3", make_allocation((7,), node="mixed/a"), tenant="beta"))
    assert too_few(ledger, ask(3, shape=make_shape(8))) == TooFewFree(
        cluster="mixed",
        chip="h100",
        workers=3,
        devices_per_worker=8,
        workers_fit=1,
        nodes_fit=1,
        devices_free=4 + 7 + 8,
        devices_drained=8 + 5,
        devices_reserved=3,
        holders=(Holder("beta", 3), Holder("alpha", 2)),
        limit=Limit(Resource.DEVICES, asked=8, most=8),
        nearest=NearestShape(workers=1, devices_per_worker=8, level=CLUSTER),
    )


@pytest.fixture
def racks() -> Ledger:
    """Two racks of two nodes, four devices each; one device is held in each rack."""
    ledger = make_ledger(*(make_node(f"{rack}{at}", {"h100": 4}, rack=rack) for rack in ("r1", "r2") for at in (1, 2)))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/r11"), make_allocation((0,), node="mixed/r21")))
    return ledger


def test_where_a_level_is_required_it_is_told_how_many_fit_there_and_anywhere(racks: Ledger) -> None:
    reason = too_few(racks, ask(8, closeness=Closeness(RACK)))
    assert (reason.level, reason.workers_fit, reason.workers_fit_anywhere, reason.nodes_fit) == (RACK, 7, 14, 4)
    assert reason.limit == Limit(Resource.DEVICES, asked=1, most=4), "devices are short there, not anywhere"
    assert reason.nearest == NearestShape(7, 1, RACK)


def test_where_no_level_is_required_anywhere_is_not_told(racks: Ledger) -> None:
    reason = too_few(racks, ask(15))
    assert (reason.level, reason.workers_fit, reason.workers_fit_anywhere) == (CLUSTER, 14, None)


def test_never_fits_says_the_level_and_what_would_fit_into_the_empty_cluster(racks: Ledger) -> None:
    assert never(racks, ask(9, closeness=Closeness(RACK))) == NeverFits(
        cluster="mixed",
        chip="h100",
        workers=9,
        devices_per_worker=1,
        workers_fit_empty=8,
        largest_node_devices=4,
        limit=Limit(Resource.DEVICES, asked=1, most=4),
        level=RACK,
        nearest=NearestShape(8, 1, RACK),
    )


def test_the_nearest_shape_has_fewer_workers_where_any_fit(racks: Ledger) -> None:
    assert never(racks, ask(5, shape=make_shape(4))).nearest == NearestShape(4, 4, CLUSTER)


def test_else_the_nearest_shape_is_in_a_larger_domain() -> None:
    asleep = [make_node(name, topology=((RACK, f"r{name}"), ("zone", "z1")), state=NodeState.DRAINED) for name in "cd"]
    ledger = make_ledger(make_node("a", rack="ra"), make_node("b", rack="rb"), *asleep)
    request = ask(2, spread=Spread(RACK, 1), closeness=Closeness("zone"))
    assert too_few(ledger, request).nearest == NearestShape(2, 1, CLUSTER)


def test_else_the_nearest_shape_has_half_the_devices_as_often_as_it_takes(racks: Ledger) -> None:
    assert never(racks, ask(2, shape=make_shape(16))).nearest == NearestShape(2, 4, CLUSTER)
    ledger = make_ledger(make_node(devices={"h100": 2}))
    assert never(ledger, ask(1, shape=make_shape(64))).nearest == NearestShape(1, 2, CLUSTER)


def test_where_nothing_near_fits_there_is_no_nearest_shape() -> None:
    ledger = make_ledger(make_node(cpu_milli=500))
    assert never(ledger, ask(1, shape=make_shape(2))).nearest is None
    assert never(ledger, ask(1, chips="mlu")).nearest is None


LIMITS: dict[str, tuple[Node, GangRequest, Limit]] = {
    "devices": (make_node(), ask(2, shape=make_shape(5)), Limit(Resource.DEVICES, asked=5, most=8)),
    "cpu": (make_node(cpu_milli=2_500), ask(3, shape=make_shape()), Limit(Resource.CPU, asked=1_000, most=2_500)),
    "memory": (
        make_node(memory_mib=2_047),
        ask(2, shape=make_shape()),
        Limit(Resource.MEMORY, asked=1_024, most=2_047),
    ),
    "pods": (make_node(pods=4), ask(5), Limit(Resource.PODS, asked=1, most=4)),
    "pods of nothing asked": (make_node(pods=4), ask(5, shape=make_shape(0)), Limit(Resource.PODS, asked=1, most=4)),
    "cpu of shares": (
        make_node(cpu_milli=2_500),
        ask(3, shape=make_shape(share_milli=500)),
        Limit(Resource.CPU, asked=1_000, most=2_500),
    ),
    "devices of shares": (make_node(devices={"h100": 1}), ask(3, shape=HALF_A_DEVICE), Limit(Resource.DEVICES, 0, 1)),
}


@pytest.mark.parametrize("resource", LIMITS)
def test_what_never_fits_names_the_resource_that_runs_out(resource: str) -> None:
    node, request, limit = LIMITS[resource]
    reason = never(make_ledger(node), request)
    assert reason.limit == limit
    assert reason.workers_fit_empty == request.options[0].parts[0].part.workers - 1
    assert reason.largest_node_devices == node.devices[0].count


def test_a_chip_that_the_cluster_lacks_never_fits() -> None:
    assert never(make_ledger(make_node()), ask(1, chips="mlu")) == NeverFits(
        "mixed", "mlu", 1, 1, workers_fit_empty=0, largest_node_devices=0, limit=Limit(Resource.DEVICES, 1, 0)
    )


def test_an_absurd_count_never_fits() -> None:
    reason = never(make_ledger(make_node()), ask(10**9, shape=make_shape(10**9)))
    assert reason.limit == Limit(Resource.DEVICES, 10**9, 8)


def test_a_drained_node_may_come_back_so_that_nothing_is_refused_for_it() -> None:
    reason = too_few(make_ledger(make_node(state=NodeState.DRAINED)), ask(1))
    assert (reason.devices_free, reason.devices_drained, reason.nearest) == (0, 8, None)


def test_another_tenants_nodes_never_fit_however_free() -> None:
    assert never(make_ledger(make_node(tenant="beta")), ask(1)).workers_fit_empty == 0


def test_parts_that_fit_one_by_one_but_not_together_are_limited_by_what_they_share() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2, "mlu": 2}, cpu_milli=4_000))
    ledger.apply(make_hold("a1", make_allocation((), chip=None)))
    reasons = why(ledger, ask(chips=ExactMix((("h100", 2), ("mlu", 2))), shape=make_shape()))
    assert [(one.chip, one.limit.resource) for one in reasons if isinstance(one, TooFewFree)] == [
        ("h100", Resource.CPU),
        ("mlu", Resource.CPU),
    ]


def test_parts_that_never_fit_together_are_told_what_they_lack_together(racks: Ledger) -> None:
    def lacking(request: GangRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
        (reason,) = why(racks, request)
        assert isinstance(reason, CannotServe)
        assert reason.mismatch is Mismatch.TOGETHER
        return reason.asked, reason.offered

    def two(workers: int, shape: WorkerShape = ONE_DEVICE, chips: tuple[str, ...] = ("h100",)) -> tuple[WorkerRole]:
        return (WorkerRole("more", workers, shape, chips),)

    assert lacking(ask(9, roles=two(8))) == (("17 h100",), ("16 h100",))
    assert lacking(ask(8, roles=two(1), closeness=Closeness(RACK))) == (("9 h100 in one rack",), ("8 h100",))
    assert lacking(ask(4, roles=two(1), closeness=Closeness(NODE))) == (("5 h100 on one node",), ("4 h100",))
    assert lacking(ask(16, roles=two(1, HALF_A_DEVICE))) == (("16.5 h100",), ("16 h100",))
    assert lacking(ask(16, exclusive=True, roles=two(1, NO_DEVICE, ()))) == (("5 nodes",), ("4 nodes",))
    heavy = make_shape(0, cpu_milli=1_000_000_000)
    racks.apply(PutNode(make_node("r3", {"mlu": 1}, rack="r3", cpu_milli=1_500_000_000)))
    beside = ask(chips="mlu", shape=heavy, roles=two(1, heavy, ()))
    assert lacking(beside) == (("2000000000 milli-cores",), ("1500000000 milli-cores",))
    assert lacking(ask(1, roles=two(1, chips=("mlu",)), closeness=Closeness(RACK))) == (("a place in one rack",), ())


def test_only_the_part_that_is_short_is_named() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"mlu": 2}))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/b", chip="mlu")))
    reason = too_few(ledger, ask(chips=ExactMix((("h100", 2), ("mlu", 2)))))
    assert (reason.chip, reason.workers, reason.workers_fit) == ("mlu", 2, 1)


def test_a_part_that_never_fits_hides_one_that_is_only_short_now() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"mlu": 2}))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/b", chip="mlu")))
    assert never(ledger, ask(chips=ExactMix((("h100", 3), ("mlu", 2))))).chip == "h100"


def test_a_role_is_named_by_its_name() -> None:
    ledger = make_ledger(make_node(pods=9))
    launchers = WorkerRole("launcher", 10, NO_DEVICE, ())
    reason = never(ledger, ask(1, roles=(launchers,)))
    assert (reason.role, reason.chip, reason.workers_fit_empty, reason.limit.resource) == (
        "launcher",
        None,
        9,
        Resource.PODS,
    )


def test_what_fits_again_after_a_node_grew_was_never_remembered_as_impossible() -> None:
    ledger = make_ledger(make_node(devices={"h100": 1}))
    never(ledger, ask(2))
    ledger.apply(make_hold("a1", make_allocation((0,))))
    ledger.apply(PutNode(make_node(devices={"h100": 2})))
    too_few(ledger, ask(2))


@pytest.mark.parametrize(
    ("node", "held", "want"),
    [
        (make_node(cpu_milli=3_000), 2, Limit(Resource.CPU, asked=1_000, most=1_000)),
        (make_node(memory_mib=3_000), 2, Limit(Resource.MEMORY, asked=1_024, most=3_000 - 2 * 1_024)),
        (make_node(pods=3), 2, Limit(Resource.PODS, asked=1, most=1)),
        (make_node(), 7, Limit(Resource.DEVICES, asked=1, most=1)),
    ],
)
def test_what_is_short_now_is_named_even_where_devices_are_free(node: Node, held: int, want: Limit) -> None:
    ledger = make_ledger(node)
    ledger.apply(make_hold("a1", *(make_allocation((slot,), node=node.id) for slot in range(held))))
    assert too_few(ledger, ask(2, shape=make_shape())).limit == want


def test_a_share_that_is_short_now_tells_the_devices_that_nobody_uses() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}))
    ledger.apply(make_hold("a1", make_share(0, 600)))
    reason = too_few(ledger, ask(3, shape=HALF_A_DEVICE))
    assert (reason.devices_per_worker, reason.workers_fit, reason.devices_free) == (0, 2, 1)
    assert reason.holders == (Holder("alpha", 1),)
    assert reason.limit == Limit(Resource.DEVICES, asked=0, most=1)


def test_a_wish_that_cannot_be_met_is_all_that_is_told(racks: Ledger) -> None:
    (reason,) = why(racks, ask(10**9, node_labels=(("disk", "fast"),)))
    assert isinstance(reason, CannotServe)
    (reason,) = why(racks, ask(3, spread=Spread(RACK, 1)))
    assert isinstance(reason, CannotServe)


def test_a_spread_that_finds_too_few_domains_now_tells_how_many_would_fit() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": 2}, rack=f"r{name}") for name in "abc"))
    ledger.apply(make_hold("a1", make_allocation((0, 1), node="mixed/a")))
    for level in (RACK, NODE):
        reason = too_few(ledger, ask(3, spread=Spread(level, 1)))
        assert (reason.workers_fit, reason.devices_free, reason.nearest) == (2, 4, NearestShape(2, 1, CLUSTER))
        assert reason.limit == Limit(Resource.DEVICES, asked=1, most=2)


def test_domains_that_a_gang_keeps_apart_from_have_free_devices_and_no_room(racks: Ledger) -> None:
    request = ask(8, apart=Apart(RACK, (("app", "web"),)))
    reason = too_few(racks, request, avoid=("mixed/r11",))
    assert (reason.workers_fit, reason.nodes_fit, reason.devices_free, reason.devices_drained) == (7, 2, 14, 0)
    assert reason.nearest == NearestShape(7, 1, CLUSTER)
    assert reason.kept_apart == KeptApart(RACK, domains=1, workers_fit=14)


def test_who_keeps_apart_is_told_from_how_many_domains_and_how_many_would_fit_with_them(racks: Ledger) -> None:
    near = Closeness(RACK)
    racks.apply(PutNode(make_node("alone", {"h100": 9})))
    for level, domains in ((NODE, 3), (RACK, 2), (CLUSTER, 1)):
        avoid = ("mixed/r11", "mixed/r12", "mixed/alone") if level != CLUSTER else ("mixed/r11",)
        request = ask(8, apart=Apart(level, (("app", "web"),)), closeness=near)
        reason = too_few(racks, request, avoid=avoid)
        assert reason.kept_apart == KeptApart(level, domains, workers_fit=9)


def test_who_keeps_apart_from_nothing_is_told_nothing_of_it(racks: Ledger) -> None:
    request = ask(15, apart=Apart(RACK, (("app", "web"),)))
    assert too_few(racks, request).kept_apart is None
    assert too_few(racks, request, avoid=("west/unknown",)).kept_apart is None
    assert too_few(racks, ask(15), avoid=("mixed/r11",)).kept_apart is None


def test_an_exclusive_gang_is_told_on_how_many_nodes_it_could_be(racks: Ledger) -> None:
    reason = too_few(racks, ask(12, exclusive=True))
    assert (reason.workers_fit, reason.nodes_fit, reason.devices_free) == (8, 2, 14)


@pytest.mark.parametrize("wish", ["workers", "chips", "shape"])
def test_absurd_wishes_are_explained_without_looking_at_each_worker(
    wish: str, racks: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: dict[str, Any] = {
        "workers": {"workers": 10**12},
        "chips": {"chips": ExactMix((("h100", 10**12), ("mlu", 10**12)))},
        "shape": {"workers": 10**12, "shape": HALF_A_DEVICE},
    }
    made: list[NodeEntry] = []
    monkeypatch.setattr(racks, "apply", made.append)
    assert {type(reason) for reason in why(racks, ask(**wishes[wish]))} == {NeverFits}
    assert made == []


def test_every_option_is_explained_by_itself() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"mlu": 4}))
    request = ask(8, chips=AnyOf(("h100", "mlu")))
    found = [shortages(ledger, "mixed", request, option)[0] for option in request.options]
    assert [(one.chip, one.workers_fit_empty) for one in found if isinstance(one, NeverFits)] == [
        ("h100", 2),
        ("mlu", 4),
    ]


def test_what_a_gang_wants_of_its_nodes_is_among_the_reason() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"))
    held = [make_allocation((0,), node=name) for name in ("mixed/a", "mixed/b")]
    ledger.apply(make_hold("a1", *held))
    assert too_few(ledger, ask(2, exclusive=True)).is_exclusive
    ledger.apply(make_hold("a2", make_allocation(tuple(range(1, 8)), node="mixed/a")))
    spread = too_few(ledger, ask(2, spread=Spread(NODE, 1)))
    assert (spread.workers_fit, spread.devices_free, spread.spread) == (1, 7, Spread(NODE, 1))
