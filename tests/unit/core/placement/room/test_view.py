import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.model.node import NodeState
from scheduler.core.model.topology import CLUSTER, NODE, RACK
from scheduler.core.placement.room.view import Lookout, View, shared_domains
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node
from tests.builders.placing import ONE_DEVICE

DEMAND = demand_of("h100", ONE_DEVICE)


def views_of(ledger: Ledger, tenant: str = "alpha") -> list[View]:
    return list(Lookout(ledger.inventory, DEMAND, "mixed", "h100", tenant))


@pytest.fixture
def all_tiers() -> Ledger:
    return make_ledger(
        make_node("own", {"h100": 1}, tenant="alpha"),
        make_node("shared", {"h100": 2}),
        make_node("weak", {"h100": 4}, state=NodeState.DEGRADED),
        make_node("own-weak", {"h100": 8}, tenant="alpha", state=NodeState.DEGRADED),
        make_node("foreign", {"h100": 16}, tenant="beta"),
        make_node("asleep", {"h100": 32}, state=NodeState.SUSPECT),
    )


def test_own_nodes_come_first_then_everybodys_then_both_and_degraded_ones_last(all_tiers: Ledger) -> None:
    assert [view.total for view in views_of(all_tiers)] == [1, 2, 1 + 2, 1 + 2 + 4 + 8]


def test_other_tenants_nodes_are_in_no_view(all_tiers: Ledger) -> None:
    assert [view.total for view in views_of(all_tiers, "gamma")] == [2, 2 + 4]
    assert max(view.total for view in views_of(all_tiers, "beta")) == 2 + 4 + 16


def test_a_chip_type_that_nobody_has_has_no_view() -> None:
    ledger = make_ledger(make_node())
    assert Lookout(ledger.inventory, demand_of("mlu", ONE_DEVICE), "mixed", "mlu", "alpha").widest() is None
    assert Lookout(ledger.inventory, DEMAND, "moon", "h100", "alpha").widest() is None


def test_a_node_of_another_tier_takes_nobody_in_a_view(all_tiers: Ledger) -> None:
    own, shared, both, _ = views_of(all_tiers)
    state = all_tiers.inventory.entries["mixed/own"].leftover
    assert (own.fits(state), shared.fits(state), both.fits(state)) == (1, 0, 1)


@pytest.fixture
def racks() -> Ledger:
    """Two racks in which a tenant's own nodes and everybody's stand side by side."""
    return make_ledger(
        make_node("a", {"h100": 2}, rack="r1", tenant="alpha"),
        make_node("b", {"h100": 2}, rack="r1"),
        make_node("c", {"h100": 1}, rack="r2", tenant="alpha"),
        make_node("d", {"h100": 4}, rack="r2"),
        make_node("e", {"h100": 9}),
    )


@pytest.mark.parametrize(("view", "most"), [(0, 2), (1, 4), (2, 5)])
def test_the_roomiest_domain_is_told_of_one_tier_and_of_several(racks: Ledger, view: int, most: int) -> None:
    assert views_of(racks)[view].most_at(RACK) == most


@pytest.mark.parametrize(("view", "in_racks", "in_all"), [(0, 3, 3), (1, 6, 15), (2, 9, 18)])
def test_what_stands_in_no_domain_of_a_level_is_not_counted_there(
    racks: Ledger, view: int, in_racks: int, in_all: int
) -> None:
    found = views_of(racks)[view]
    assert (found.total_at(RACK), found.total_at("moon"), found.total) == (in_racks, 0, in_all)


def test_domains_that_several_demands_share_have_room_for_each_of_them(racks: Ledger) -> None:
    own, shared, both = views_of(racks)
    names = [
        [domain.name for domain in shared_domains(RACK, wanted)]
        for wanted in (
            [(both, 4)],
            [(both, 5)],
            [(own, 2), (shared, 2)],
            [(own, 1), (shared, 4)],
            [(own, 2), (shared, 4)],
        )
    ]
    assert names == [["r1", "r2"], ["r2"], ["r1"], ["r2"], []]


@pytest.mark.parametrize(
    ("view", "workers", "want"),
    [(0, 1, "r2"), (0, 2, "r1"), (1, 2, "r1"), (1, 3, "r2"), (2, 4, "r1"), (2, 5, "r2"), (2, 6, None)],
)
def test_the_tightest_domain_with_enough_room_is_found(racks: Ledger, view: int, workers: int, want: str) -> None:
    domain = views_of(racks)[view].tightest(RACK, workers)
    assert (domain and domain.name) == want


def test_domains_come_tightest_first_and_equals_by_their_path() -> None:
    ledger = make_ledger(*(make_node(f"n{rack}", {"h100": 2}, rack=rack) for rack in ("r3", "r1", "r2")))
    view = views_of(ledger)[0]
    assert [domain.name for domain in view.from_tightest(RACK, 2)] == ["r1", "r2", "r3"]


def test_children_with_room_come_tightest_first(racks: Ledger) -> None:
    root = racks.inventory.root("mixed")
    assert [(room, child.name) for room, _, child in views_of(racks)[0].children(root)] == [(1, "r2"), (2, "r1")]
    assert [room for room, _, _ in views_of(racks)[2].children(root)] == [4, 5]


def test_a_spread_takes_no_more_than_is_allowed_of_each_domain(racks: Ledger) -> None:
    both = views_of(racks)[2]
    assert {domain.name: workers for domain, workers in both.spread(RACK, 4).items()} == {"r1": 4, "r2": 4}
    assert {domain.name: workers for domain, workers in both.spread(RACK, 5).items()} == {"r1": 4, "r2": 5}
    assert list(both.spread(CLUSTER, 7).values()) == [7]
    assert both.spread("moon", 1) == {}


def test_the_roomiest_node_is_told_as_it_is_now_and_as_it_would_be_empty() -> None:
    ledger = make_ledger(make_node("a", {"h100": 8}), make_node("b", {"h100": 4}))
    ledger.apply(make_hold("a1", *(make_allocation((slot,), node="mixed/a") for slot in range(6))))
    view = views_of(ledger)[0]
    assert (view.most_on_one_node(), view.nodes, view.total) == (4, 2, 6)
    assert view.most_on_a_node >= 4


def test_domains_that_tiers_share_and_those_of_one_tier_come_in_one_order() -> None:
    ledger = make_ledger(
        *(make_node(f"n{room}", {"h100": room}, rack=f"r{room}") for room in (1, 3, 5, 7)),
        make_node("own", {"h100": 3}, rack="r3", tenant="alpha"),
        make_node("alone", {"h100": 4}, rack="r9", tenant="alpha"),
    )
    _, _, both = views_of(ledger)
    assert [domain.name for domain in both.from_tightest(RACK, 3)] == ["r9", "r5", "r3", "r7"]
    assert both.most_at(RACK) == 7


def test_who_finds_no_room_at_a_level_need_not_look_below_it_unless_nodes_stand_outside() -> None:
    inside = [make_node("a", {"h100": 2}, rack="r1"), make_node("b", {"h100": 3}, rack="r2", tenant="alpha")]
    both = views_of(make_ledger(*inside))[-1]
    assert [both.has_no_room_within(RACK, workers) for workers in (3, 4)] == [False, True]
    assert not views_of(make_ledger(*inside, make_node("c", {"h100": 4})))[-1].has_no_room_within(RACK, 5)
    assert not both.has_no_room_within(NODE, 4)
