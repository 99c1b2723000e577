"""Wishes that a cluster cannot meet however empty it is."""

import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import ExactMix, WorkerRole
from scheduler.core.model.node import Cluster, NodeState
from scheduler.core.model.reason import CannotServe, Mismatch
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Apart, Closeness, Spread
from scheduler.core.placement.reasons.mismatch import MOST_OFFERED, mismatches
from scheduler.core.placement.request import GangRequest
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape
from tests.builders.placing import HALF_A_DEVICE, NO_DEVICE, ask

WEB = (("app", "web"),)
LAUNCHER = WorkerRole("launcher", 1, NO_DEVICE, ())


@pytest.fixture
def racks() -> Ledger:
    """Two racks of two nodes, two devices each, all of them held."""
    ledger = make_ledger(*(make_node(f"{rack}{at}", {"h100": 2}, rack=rack) for rack in ("r1", "r2") for at in (1, 2)))
    for node in ("r11", "r12", "r21", "r22"):
        ledger.apply(make_hold(node, make_allocation((0, 1), node=f"mixed/{node}")))
    return ledger


def wrong(ledger: Ledger, request: GangRequest) -> tuple[CannotServe, ...]:
    return mismatches(ledger, "mixed", request, request.options[0])


def test_what_is_only_in_use_is_no_mismatch(racks: Ledger) -> None:
    for request in (
        ask(8),
        ask(4, closeness=Closeness(RACK)),
        ask(4, spread=Spread(RACK, 2)),
        ask(4, spread=Spread(NODE, 1)),
        ask(3, spread=Spread(NODE, 1), roles=(LAUNCHER,)),
        ask(2, spread=Spread(NODE, 1), closeness=Closeness(RACK)),
        ask(1, apart=Apart(RACK, WEB)),
        ask(1, shape=HALF_A_DEVICE),
        ask(1, exclusive=True),
    ):
        assert wrong(racks, request) == ()


@pytest.mark.parametrize(
    "request_for_level",
    [
        ask(1, closeness=Closeness("moon")),
        ask(1, spread=Spread("moon", 1)),
        ask(1, apart=Apart("moon", WEB)),
        ask(1, closeness=Closeness("moon"), spread=Spread("moon", 1), apart=Apart("moon", WEB)),
    ],
)
def test_a_level_that_the_topology_has_not_is_named_once_with_those_it_has(
    request_for_level: GangRequest, racks: Ledger
) -> None:
    assert wrong(racks, request_for_level) == (CannotServe("mixed", Mismatch.LEVEL, ("moon",), (NODE, RACK, CLUSTER)),)


def test_labels_that_no_node_has_are_named_with_what_nodes_have_under_these_keys() -> None:
    fast, slow, big = ("disk", "fast"), ("disk", "slow"), ("memory", "big")
    ledger = make_ledger(
        make_node("a", labels=(fast, ("other", "x"))),
        make_node("b", labels=(slow, big)),
        make_node("c", labels=(("disk", "theirs"),), tenant="beta"),
    )
    assert wrong(ledger, ask(1, node_labels=(fast,))) == ()
    assert wrong(ledger, ask(1, node_labels=(fast, big))) == (
        CannotServe(
            "mixed", Mismatch.NODE_LABELS, ("disk=fast", "memory=big"), ("disk=fast", "disk=slow", "memory=big")
        ),
    )


def test_no_more_labels_are_offered_than_anybody_reads() -> None:
    ledger = make_ledger(*(make_node(f"n{number}", labels=(("zone", f"z{number:02}"),)) for number in range(30)))
    (reason,) = wrong(ledger, ask(1, node_labels=(("zone", "moon"),)))
    assert reason.offered == tuple(f"zone=z{number:02}" for number in range(MOST_OFFERED))


def test_labels_on_a_node_that_only_sleeps_are_no_mismatch() -> None:
    fast = ("disk", "fast")
    assert wrong(make_ledger(make_node(labels=(fast,), state=NodeState.DRAINED)), ask(1, node_labels=(fast,))) == ()


@pytest.mark.parametrize("cannot", [{"binds_devices": False}, {"enforces_shares": False}])
def test_a_cluster_that_cannot_share_says_so(cannot: dict[str, bool]) -> None:
    ledger = make_ledger(make_node(), clusters=(Cluster("mixed", "kubernetes", **cannot),))
    assert wrong(ledger, ask(1, shape=HALF_A_DEVICE)) == (CannotServe("mixed", Mismatch.SHARES, ()),)
    assert wrong(ledger, ask(1)) == ()


@pytest.mark.parametrize(
    ("shape", "asked"),
    [
        (make_shape(share_milli=1_000), ("1000 thousandths", "0 MiB")),
        (make_shape(share_milli=-1), ("-1 thousandths", "0 MiB")),
        (make_shape(share_milli=500, share_memory_mib=81_921), ("500 thousandths", "81921 MiB")),
        (WorkerShape(0, 0, 0, 0, 1_024), ("0 thousandths", "1024 MiB")),
        (WorkerShape(2, 0, 0, 500, 1_024), ("500 thousandths", "1024 MiB")),
    ],
)
def test_a_share_that_no_device_can_give_is_named_with_the_memory_that_there_is(
    shape: WorkerShape, asked: tuple[str, ...]
) -> None:
    assert wrong(make_ledger(make_node()), ask(1, shape=shape)) == (
        CannotServe("mixed", Mismatch.SHARE_SIZE, asked, ("81920 MiB",)),
    )


def test_the_largest_device_decides_which_share_is_too_large() -> None:
    ledger = make_ledger(make_node("a", device_memory_mib=40_960), make_node("b", device_memory_mib=81_920))
    assert wrong(ledger, ask(1, shape=make_shape(share_milli=500, share_memory_mib=81_920))) == ()


@pytest.mark.parametrize(
    ("request_for_spread", "asked", "offered"),
    [
        (ask(3, spread=Spread(RACK, 1)), ("3 workers", "at most 1 per rack"), "2 racks"),
        (ask(5, spread=Spread(NODE, 1)), ("5 workers", "at most 1 per node"), "4 nodes"),
        (ask(4, spread=Spread(NODE, 1), roles=(LAUNCHER,)), ("5 workers", "at most 1 per node"), "4 nodes"),
        (ask(4, spread=Spread(RACK, 2), roles=(LAUNCHER,)), ("5 workers", "at most 2 per rack"), "2 racks"),
        (ask(3, spread=Spread(NODE, 1), closeness=Closeness(RACK)), ("3 workers", "at most 1 per node"), "4 nodes"),
    ],
)
def test_too_few_domains_for_a_spread_are_named_with_their_number(
    request_for_spread: GangRequest, asked: tuple[str, ...], offered: str, racks: Ledger
) -> None:
    assert wrong(racks, request_for_spread) == (CannotServe("mixed", Mismatch.SPREAD, asked, (offered,)),)


def test_racks_too_small_for_their_part_of_a_spread_are_too_few_as_well() -> None:
    ledger = make_ledger(make_node("a", {"h100": 7}, rack="r1"), make_node("b", {"h100": 1}, rack="r2"))
    (reason,) = wrong(ledger, ask(6, spread=Spread(RACK, 3)))
    assert (reason.mismatch, reason.offered) == (Mismatch.SPREAD, ("2 racks",))


def test_a_single_domain_is_told_in_the_singular() -> None:
    ledger = make_ledger(make_node("a", rack="r1"), make_node("b"))
    (reason,) = wrong(ledger, ask(2, spread=Spread(RACK, 1)))
    assert reason.offered == ("1 rack",)


def test_who_would_not_fit_without_a_spread_either_is_not_told_of_it(racks: Ledger) -> None:
    assert wrong(racks, ask(9, spread=Spread(RACK, 4))) == ()
    assert wrong(racks, ask(1, chips="moon", spread=Spread(RACK, 1))) == ()


@pytest.mark.parametrize(("level", "within"), [(NODE, NODE), (RACK, NODE), (RACK, RACK), (CLUSTER, RACK)])
def test_to_be_spread_over_domains_and_together_in_one_of_them_is_a_contradiction(
    level: str, within: str, racks: Ledger
) -> None:
    (reason,) = wrong(racks, ask(2, spread=Spread(level, 1), closeness=Closeness(within)))
    want = (f"at most 1 in one {level}", f"all 2 in one {within}")
    assert reason == CannotServe("mixed", Mismatch.CONTRADICTION, want)
    assert wrong(racks, ask(1, spread=Spread(level, 1), closeness=Closeness(within))) == ()


def test_every_wish_that_cannot_be_met_is_named(racks: Ledger) -> None:
    mix = ExactMix((("h100", 1), ("mlu", 1)))
    request = ask(
        chips=mix, closeness=Closeness("moon"), node_labels=(("a", "b"),), shape=make_shape(share_milli=2_000)
    )
    assert {reason.mismatch for reason in wrong(racks, request)} == {
        Mismatch.LEVEL,
        Mismatch.NODE_LABELS,
        Mismatch.SHARE_SIZE,
    }
