import pytest

from scheduler.core.ledger.index.domain import Domain
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.model.topology import CLUSTER, RACK
from scheduler.core.placement.room.empty_view import EmptyView
from scheduler.core.placement.room.view import View
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node
from tests.builders.placing import ONE_DEVICE

DEMAND = demand_of("h100", ONE_DEVICE)


@pytest.fixture
def ledger() -> Ledger:
    """Racks in which a tenant's own nodes stand beside everybody's, on one of which something runs."""
    ledger = make_ledger(
        make_node("a", {"h100": 2}, rack="r1", tenant="alpha"),
        make_node("b", {"h100": 4}, rack="r1"),
        make_node("c", {"h100": 5}, rack="r2"),
        make_node("d", {"h100": 3}, rack="r3", tenant="alpha"),
        make_node("e", {"h100": 9}),
    )
    ledger.apply(make_hold("one", make_allocation((0, 1), node="mixed/b")))
    return ledger


def view_of(ledger: Ledger) -> EmptyView:
    return EmptyView(ledger.inventory.fit(DEMAND), ledger.inventory.pools["mixed", "h100"].values())


def test_figures_are_those_of_the_cluster_in_which_nothing_runs(ledger: Ledger) -> None:
    view = view_of(ledger)
    assert (view.total, view.most_on_one_node()) == (23, 9)


def test_nodes_of_several_pools_in_one_domain_count_together(ledger: Ledger) -> None:
    view = view_of(ledger)
    assert (view.most_at(RACK), view.most_at(CLUSTER), view.most_at("moon")) == (6, 23, 0)
    assert (view.total_at(RACK), view.total_at(CLUSTER)) == (14, 23)


def test_what_a_spread_allows_is_told_per_domain(ledger: Ledger) -> None:
    def by_name(found: dict[Domain, int]) -> dict[str, int]:
        return {domain.name: room for domain, room in found.items()}

    assert by_name(view_of(ledger).spread(RACK, 4)) == {"r1": 4, "r2": 4, "r3": 3}
    assert by_name(view_of(ledger).spread(CLUSTER, 4)) == {"mixed": 4}


def test_it_says_the_same_as_a_look_at_every_node(ledger: Ledger) -> None:
    pools = list(ledger.inventory.pools["mixed", "h100"].items())
    by_nodes, by_kinds = View(ledger.inventory.fit(DEMAND, when_empty=True), pools), view_of(ledger)
    assert by_nodes.total == by_kinds.total
    assert by_nodes.most_on_one_node() == by_kinds.most_on_one_node()
    for level in (RACK, CLUSTER):
        assert by_nodes.most_at(level) == by_kinds.most_at(level)
        assert by_nodes.spread(level, 4) == by_kinds.spread(level, 4)


def test_without_nodes_there_is_no_room() -> None:
    view = EmptyView(make_ledger().inventory.fit(DEMAND), [])
    assert (view.total, view.most_on_one_node(), view.most_at(RACK), view.spread(RACK, 1)) == (0, 0, 0, {})
