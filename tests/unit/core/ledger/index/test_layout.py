import pytest

from scheduler.core.ledger.changes import PutNode, RemoveNode
from scheduler.core.ledger.index.layout import Layout
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import Fit, demand_of
from scheduler.core.model.node import NodeState
from scheduler.core.model.topology import CLUSTER, RACK
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape


def fit_of(devices: int) -> Fit:
    return Fit(demand_of("h100", make_shape(devices)))


def layout_of(ledger: Ledger) -> Layout:
    return ledger.inventory.pools["mixed", "h100"][None, False].layout()


@pytest.fixture
def ledger() -> Ledger:
    return make_ledger(
        make_node("a", {"h100": 4}, rack="r1"),
        make_node("b", {"h100": 8}, rack="r1"),
        make_node("c", {"h100": 8}, rack="r2"),
    )


def test_the_roomiest_domain_is_told_by_the_kinds_of_its_nodes(ledger: Ledger) -> None:
    layout = layout_of(ledger)
    assert [layout.most_at(RACK, fit_of(devices)) for devices in (1, 4, 5, 9)] == [12, 3, 1, 0]
    assert layout.most_at(CLUSTER, fit_of(8)) == 2


def test_what_is_held_and_whether_work_is_taken_does_not_matter(ledger: Ledger) -> None:
    ledger.apply(make_hold("one", make_allocation((0, 1), node="mixed/a")))
    ledger.apply(PutNode(make_node("b", {"h100": 8}, rack="r1", state=NodeState.DRAINED)))
    assert layout_of(ledger).most_at(RACK, fit_of(1)) == 12


def test_a_level_or_domain_without_nodes_has_no_room(ledger: Ledger) -> None:
    layout = layout_of(ledger)
    rack = layout.domains_at(RACK)[0]
    ledger.apply(PutNode(make_node("a", {"mlu": 4}, rack="r1")))
    ledger.apply(PutNode(make_node("b", {"mlu": 8}, rack="r1")))
    assert (layout.most_at("moon", fit_of(1)), layout.room_in(rack, fit_of(1))) == (0, 0)
    assert layout.count_at(RACK) == 1


def test_a_layout_follows_nodes_that_come_go_and_become_others(ledger: Ledger) -> None:
    layout = layout_of(ledger)
    ledger.apply(PutNode(make_node("d", {"h100": 8}, rack="r2")))
    ledger.apply(PutNode(make_node("a", {"h100": 2}, rack="r2")))
    ledger.apply(RemoveNode("mixed/b"))
    assert layout is layout_of(ledger)
    assert [domain.name for domain in layout.domains_at(RACK)] == ["r2"]
    assert (layout.most_at(RACK, fit_of(1)), layout.most_at(CLUSTER, fit_of(4))) == (18, 4)
