"""How many workers fit, and whether all ever would."""

import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import AnyOf, WorkerRole
from scheduler.core.model.node import NodeState
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Apart, Closeness, Spread
from scheduler.core.placement.request import GangRequest
from scheduler.core.placement.room.fitting import can_never_fit, fitting, never_fits, spread_room
from tests.builders.core import make_ledger, make_node, make_shape
from tests.builders.placing import NO_DEVICE, ask, two_racks

LAUNCHER = WorkerRole("launcher", 1, NO_DEVICE, ())


@pytest.fixture
def racks() -> Ledger:
    return two_racks()


def fit_of(ledger: Ledger, request: GangRequest, *, when_empty: bool = False) -> tuple[int, int]:
    return fitting(ledger.inventory, "mixed", request, request.options[0].parts[0], when_empty=when_empty)


def test_all_nodes_that_are_not_gone_count_in_the_empty_cluster(racks: Ledger) -> None:
    assert fit_of(racks, ask(1)) == (7, 7)
    assert fit_of(racks, ask(1), when_empty=True) == (8, 8)
    asleep = make_ledger(make_node("a", state=NodeState.DRAINED), make_node("b", state=NodeState.GONE))
    assert (fit_of(asleep, ask(1)), fit_of(asleep, ask(1), when_empty=True)) == ((0, 0), (8, 8))


@pytest.mark.parametrize(
    ("closeness", "want"),
    [
        (Closeness(), (7, 7)),
        (Closeness(RACK), (4, 7)),
        (Closeness(NODE), (2, 7)),
        (Closeness("moon"), (0, 7)),
        (Closeness(preferred=(NODE,)), (7, 7)),
    ],
)
def test_as_many_fit_as_one_domain_of_the_required_level_takes(
    closeness: Closeness, want: tuple[int, int], racks: Ledger
) -> None:
    assert fit_of(racks, ask(8, closeness=closeness)) == want


def test_own_and_everybodys_nodes_count_and_other_tenants_do_not() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1}, tenant="alpha"),
        make_node("b", {"h100": 2}, state=NodeState.DEGRADED),
        make_node("c", {"h100": 4}, tenant="beta"),
        make_node("d", {"h100": 8}, state=NodeState.SUSPECT),
    )
    assert fit_of(ledger, ask(99)) == (3, 3)
    assert fit_of(ledger, ask(99, tenant="beta")) == (6, 6)


def test_a_node_outside_any_rack_is_near_enough_by_itself() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}), make_node("b", {"h100": 2}, rack="r1"))
    assert fit_of(ledger, ask(5, closeness=Closeness(RACK))) == (4, 6)
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
