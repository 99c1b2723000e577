"""What keeps a gang out of a cluster, in short."""

import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import AnyOf, ExactMix, WorkerRole
from scheduler.core.model.node import Cluster, NodeState
from scheduler.core.model.reason import Shortfall
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Apart, Closeness, Spread
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.reasons.shortfalls import (
    can_never_fit,
    fitting,
    gives_shares,
    is_possible_share,
    knows_levels,
    never_fits,
    offers,
    shortfalls,
    spread_room,
)
from scheduler.core.placement.request import GangRequest
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape
from tests.builders.placing import HALF_A_DEVICE, NO_DEVICE, ask

LAUNCHER = WorkerRole("launcher", 1, NO_DEVICE, ())


@pytest.fixture
def racks() -> Ledger:
    """Two racks of two nodes with two devices each; one device is held."""
    ledger = make_ledger(*(make_node(f"{rack}{at}", {"h100": 2}, rack=rack) for rack in ("r1", "r2") for at in (1, 2)))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/r11")))
    return ledger


def short(ledger: Ledger, request: GangRequest) -> tuple[Shortfall, ...]:
    return shortfalls(Placer(ledger), "mixed", request, request.options[0])


@pytest.mark.parametrize(
    ("closeness", "level", "fit"),
    [
        (Closeness(), CLUSTER, 7),
        (Closeness(RACK), RACK, 4),
        (Closeness(NODE), NODE, 2),
        (Closeness("moon"), "moon", 0),
        (Closeness(preferred=(NODE,)), CLUSTER, 7),
    ],
)
def test_a_shortfall_says_how_many_fit_where_they_have_to_be_and_how_many_anywhere(
    closeness: Closeness, level: str, fit: int, racks: Ledger
) -> None:
    assert short(racks, ask(8, closeness=closeness)) == (Shortfall("mixed", "h100", "worker", 8, level, fit, 7),)


def test_only_parts_of_which_too_few_fit_are_named() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"mlu": 2}))
    lacking = short(ledger, ask(chips=ExactMix((("h100", 2), ("mlu", 3)))))
    assert [(one.chip, one.workers, one.fit) for one in lacking] == [("mlu", 3, 2)]


def test_parts_that_fit_one_by_one_and_not_together_are_all_named() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2, "mlu": 2}, cpu_milli=3_000))
    lacking = short(ledger, ask(chips=ExactMix((("h100", 2), ("mlu", 2))), shape=make_shape()))
    assert [(one.chip, one.fit) for one in lacking] == [("h100", 2), ("mlu", 2)]


def test_own_and_everybodys_nodes_count_and_other_tenants_do_not() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1}, tenant="alpha"),
        make_node("b", {"h100": 2}, state=NodeState.DEGRADED),
        make_node("c", {"h100": 4}, tenant="beta"),
        make_node("d", {"h100": 8}, state=NodeState.SUSPECT),
    )
    assert short(ledger, ask(99))[0].fit == 3
    assert short(ledger, ask(99, tenant="beta"))[0].fit == 6


def fit_of(ledger: Ledger, request: GangRequest, *, when_empty: bool = False) -> tuple[int, int]:
    return fitting(ledger.inventory, "mixed", request, request.options[0].parts[0], when_empty=when_empty)


def test_all_nodes_that_are_not_gone_count_in_the_empty_cluster(racks: Ledger) -> None:
    assert fit_of(racks, ask(1)) == (7, 7)
    assert fit_of(racks, ask(1), when_empty=True) == (8, 8)
    asleep = make_ledger(make_node("a", state=NodeState.DRAINED), make_node("b", state=NodeState.GONE))
    assert (fit_of(asleep, ask(1)), fit_of(asleep, ask(1), when_empty=True)) == ((0, 0), (8, 8))


def test_a_node_outside_any_rack_is_near_enough_by_itself() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}), make_node("b", {"h100": 2}, rack="r1"))
    assert not never(ledger, ask(4, closeness=Closeness(RACK)))
    assert never(ledger, ask(5, closeness=Closeness(RACK)))
    assert fit_of(ledger, ask(1, closeness=Closeness("moon"))) == (0, 6)


@pytest.mark.parametrize(
    ("spread", "closeness", "want"),
    [
        (Spread(RACK, 3), Closeness(), (6, 6)),
        (Spread(RACK, 9), Closeness(), (7, 7)),
        (Spread(RACK, 3), Closeness(RACK), (3, 6)),
        (Spread(RACK, 1), Closeness(NODE), (1, 2)),
        (Spread(NODE, 1), Closeness(), (4, 4)),
        (Spread(NODE, 1), Closeness(RACK), (2, 4)),
        (Spread(CLUSTER, 5), Closeness(), (5, 5)),
        (Spread("moon", 5), Closeness(), (0, 0)),
    ],
)
def test_no_more_fit_than_their_spread_allows(
    spread: Spread, closeness: Closeness, want: tuple[int, int], racks: Ledger
) -> None:
    assert fit_of(racks, ask(9, spread=spread, closeness=closeness)) == want


def room(ledger: Ledger, request: GangRequest) -> int:
    return spread_room(ledger.inventory, "mixed", request, request.options[0])


def test_all_parts_of_a_gang_share_what_their_spread_allows(racks: Ledger) -> None:
    both = (LAUNCHER,)
    assert room(racks, ask(4, spread=Spread(RACK, 2))) == room(racks, ask(4, spread=Spread(RACK, 2), roles=both)) == 4
    assert room(racks, ask(4, spread=Spread(NODE, 1), roles=both)) == 4
    assert room(racks, ask(4, spread=Spread(RACK, 2), closeness=Closeness(RACK), roles=both)) == 2
    assert room(racks, ask(4, roles=both)) > 10**6


def never(ledger: Ledger, request: GangRequest) -> bool:
    return never_fits(ledger.inventory, "mixed", request, request.options[0])


def test_a_gang_never_fits_where_it_does_not_fit_into_the_empty_cluster(racks: Ledger) -> None:
    assert not never(racks, ask(8))
    assert never(racks, ask(9))
    assert not never(racks, ask(4, closeness=Closeness(RACK)))
    assert never(racks, ask(5, closeness=Closeness(RACK)))
    assert never(racks, ask(1, chips="mlu"))
    assert never(racks, ask(4, roles=(WorkerRole("more", 1, make_shape(), ("mlu",)),)))


@pytest.mark.parametrize(
    "request_for_never",
    [
        ask(5, spread=Spread(RACK, 2)),
        ask(5, spread=Spread(NODE, 1)),
        ask(4, spread=Spread(NODE, 1), roles=(LAUNCHER,)),
        ask(4, spread=Spread(RACK, 2), roles=(LAUNCHER,)),
        ask(2, spread=Spread(RACK, 1), closeness=Closeness(RACK)),
        ask(1, spread=Spread("moon", 1)),
        ask(1, apart=Apart("moon", (("app", "web"),))),
        ask(1, closeness=Closeness("moon")),
        ask(1, node_labels=(("disk", "fast"),)),
    ],
)
def test_wishes_that_cannot_be_met_never_fit(request_for_never: GangRequest, racks: Ledger) -> None:
    assert never(racks, request_for_never)
    assert can_never_fit(racks, request_for_never)


def test_a_job_can_never_fit_where_no_option_fits_into_any_cluster() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}, cluster="east"), make_node("b", {"mlu": 4}, cluster="west"))
    assert not can_never_fit(ledger, ask(4, chips=AnyOf(("h100", "mlu"))))
    assert can_never_fit(ledger, ask(5, chips=AnyOf(("h100", "mlu"))))
    assert can_never_fit(ledger, ask(4, chips=AnyOf(("h100", "mlu")), objecting_clusters=("west",)))


def test_without_a_cluster_nothing_is_said_never_to_fit() -> None:
    assert not can_never_fit(make_ledger(), ask(10**9))
    assert not can_never_fit(make_ledger(make_node()), ask(10**9, objecting_clusters=("mixed",)))


def test_a_share_never_fits_where_no_cluster_can_share() -> None:
    counting = Cluster("mixed", "kubernetes", binds_devices=False)
    ledger = make_ledger(make_node(), clusters=(counting,))
    request = ask(1, shape=HALF_A_DEVICE)
    assert not offers(ledger, "mixed", request.options[0])
    assert offers(ledger, "mixed", ask(1).options[0])
    assert can_never_fit(ledger, request)


def test_a_cluster_of_which_nothing_was_said_gives_shares() -> None:
    assert gives_shares(make_ledger(make_node()), "mixed")
    able = Cluster("mixed", "local")
    unable = Cluster("mixed", "kubernetes", enforces_shares=False)
    assert gives_shares(make_ledger(clusters=(able,)), "mixed")
    assert not gives_shares(make_ledger(clusters=(unable,)), "mixed")


@pytest.mark.parametrize(
    ("shape", "is_possible"),
    [
        (WorkerShape(0, 0, 0, 1, 0), True),
        (WorkerShape(0, 0, 0, 999, 80_000), True),
        (WorkerShape(0, 0, 0, 1_000, 0), False),
        (WorkerShape(0, 0, 0, 0, 1), False),
        (WorkerShape(0, 0, 0, -1, 0), False),
        (WorkerShape(0, 0, 0, 1, -1), False),
        (WorkerShape(1, 0, 0, 1, 0), False),
    ],
)
def test_a_share_is_more_than_nothing_and_less_than_a_device_and_stands_alone(
    shape: WorkerShape, *, is_possible: bool
) -> None:
    assert is_possible_share(shape) is is_possible
    assert offers(make_ledger(make_node()), "mixed", ask(1, shape=shape).options[0]) is is_possible


def test_a_cluster_knows_its_own_levels_besides_node_and_cluster(racks: Ledger) -> None:
    known = [Closeness(level) for level in (NODE, RACK, CLUSTER, None)]
    assert all(knows_levels(racks.inventory, "mixed", ask(1, closeness=closeness)) for closeness in known)
    assert not knows_levels(racks.inventory, "mixed", ask(1, closeness=Closeness("zone")))
    assert knows_levels(racks.inventory, "mixed", ask(1, closeness=Closeness(preferred=("zone",))))
