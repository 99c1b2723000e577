"""What keeps a gang out of a cluster, in short."""

import pytest

from scheduler.core.ledger.changes import PutCluster
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import ExactMix
from scheduler.core.model.node import Cluster, NodeState
from scheduler.core.model.reason import Shortfall
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Apart, Closeness
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.reasons.shortfalls import shortfalls
from scheduler.core.placement.request import GangRequest
from tests.builders.core import make_ledger, make_node, make_shape
from tests.builders.placing import HALF_A_DEVICE, ask, two_racks


@pytest.fixture
def racks() -> Ledger:
    return two_racks()


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


def test_a_node_outside_any_rack_is_near_enough_by_itself() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}), make_node("b", {"h100": 2}, rack="r1"))
    (lacking,) = short(ledger, ask(5, closeness=Closeness(RACK)))
    assert (lacking.fit, lacking.fit_anywhere) == (4, 6)


def test_none_fits_where_the_cluster_cannot_give_what_is_asked_for(racks: Ledger) -> None:
    web = (("app", "web"),)
    assert [one.fit for one in short(racks, ask(1, apart=Apart("moon", web)))] == [0]
    assert [one.fit for one in short(racks, ask(1, apart=Apart(RACK, web)))] == [7]
    whole_only = Cluster("mixed", "kubernetes", binds_devices=False, enforces_shares=False)
    assert [one.fit for one in short(racks, ask(1, shape=HALF_A_DEVICE))] == [14]
    racks.apply(PutCluster(whole_only))
    assert [one.fit for one in short(racks, ask(1, shape=HALF_A_DEVICE))] == [0]


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
