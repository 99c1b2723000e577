import pytest

from scheduler.core.model.asking.suppositions import (
    MOST_NODES,
    AddNodes,
    DrainNodes,
    NothingSupposed,
    TooMuchSupposed,
    UnknownSubject,
)
from scheduler.core.model.node import NodeState, pool_name
from scheduler.core.supposing.naming import nodes_to_add, nodes_to_drain
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node

LEDGER = make_ledger(
    make_node("a1", rack="r1"),
    make_node("a2", rack="r2", labels=(("zone", "z"),)),
    make_node("b1", {"a800": 4}, rack="r1"),
    make_node("gone", state=NodeState.DRAINED),
    make_node("a1", cluster="other"),
)
LEDGER.apply(make_hold("x", make_allocation((0, 1), node="mixed/a1")))
POOL = pool_name("mixed", make_node().devices[0])


def drained(**drain: object) -> list[str]:
    return [node.id for node in nodes_to_drain(LEDGER, DrainNodes(**drain))]  # type: ignore[arg-type]


def test_nodes_are_named_in_full_or_by_a_name_that_one_cluster_alone_has() -> None:
    assert drained(nodes=("mixed/a1", "a2", "a2")) == ["mixed/a1", "mixed/a2"]
    with pytest.raises(UnknownSubject, match="several clusters have a node a1"):
        drained(nodes=("a1",))
    with pytest.raises(UnknownSubject, match="there is no node nowhere"):
        drained(nodes=("nowhere",))


def test_nodes_are_described_by_pool_chip_type_place_and_label_and_the_emptiest_are_taken() -> None:
    assert drained(like=POOL) == ["mixed/a1", "mixed/a2"]
    assert drained(like="a800") == ["mixed/b1"]
    assert drained(where=("rack", "r1")) == ["mixed/a1", "mixed/b1"]
    assert drained(where=("zone", "z")) == ["mixed/a2"]
    assert drained(like=POOL, count=1) == ["mixed/a2"]


@pytest.mark.parametrize(
    ("drain", "said"),
    [
        (DrainNodes(like="nothing"), "no node with chip type nothing"),
        (DrainNodes(like="mixed/nothing-1-x1"), "no pool mixed/nothing-1-x1"),
        (DrainNodes(where=("rack", "r9")), "no such node with rack r9"),
        (DrainNodes(like=POOL, count=3), "3 nodes were to be drained, and 2 of those take work"),
    ],
)
def test_what_is_not_there_is_said(drain: DrainNodes, said: str) -> None:
    with pytest.raises(UnknownSubject, match=said):
        nodes_to_drain(LEDGER, drain)


def test_who_takes_no_work_is_not_drained_again_and_too_many_names_are_refused() -> None:
    with pytest.raises(NothingSupposed):
        drained(nodes=("gone",))
    with pytest.raises(TooMuchSupposed):
        drained(nodes=("a2",) * (MOST_NODES + 1))


def test_an_added_node_is_like_most_of_its_pool_and_stands_in_a_rack_of_its_own() -> None:
    first, second = nodes_to_add(LEDGER, AddNodes("h100", 2, "mixed"), 3)
    assert (first.id, second.id) == ("mixed/supposed-3-1", "mixed/supposed-3-2")
    assert first.devices == make_node().devices
    assert first.topology.domain("rack") == second.topology.domain("rack") == "supposed-3"
    assert first.state is NodeState.READY


def test_nodes_can_only_be_like_some_that_there_are_and_not_too_many() -> None:
    with pytest.raises(UnknownSubject, match="no node with a800 alone in cluster other"):
        nodes_to_add(LEDGER, AddNodes("a800", 1, "other"), 1)
    for count in (0, MOST_NODES + 1):
        with pytest.raises(TooMuchSupposed):
            nodes_to_add(LEDGER, AddNodes("a800", count), 1)
