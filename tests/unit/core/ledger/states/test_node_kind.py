from dataclasses import replace

import pytest

from scheduler.core.ledger.states.node_kind import NodeKind, kind_key
from scheduler.core.model.node import ForeignUse, Node, NodeState
from scheduler.core.model.topology import Topology
from tests.builders.core import make_node

NODE = make_node(devices={"h100": 4, "mlu": 2})


@pytest.mark.parametrize(
    "other",
    [
        replace(NODE, name="n2"),
        replace(NODE, note="a fan is loud"),
        replace(NODE, topology=Topology((("rack", "r9"),))),
    ],
    ids=["name", "note", "place"],
)
def test_nodes_that_differ_in_name_place_or_note_are_of_one_kind(other: Node) -> None:
    assert kind_key(other) == kind_key(NODE)


@pytest.mark.parametrize(
    "other",
    [
        replace(NODE, cluster="east"),
        make_node(devices={"h100": 4}),
        make_node(devices={"mlu": 2, "h100": 4}),
        replace(NODE, cpu_milli=1),
        replace(NODE, memory_mib=1),
        replace(NODE, pods=1),
        replace(NODE, labels=(("disk", "fast"),)),
        replace(NODE, state=NodeState.DEGRADED),
        replace(NODE, tenant="alpha"),
        replace(NODE, foreign=ForeignUse(cpu_milli=1)),
    ],
    ids=["cluster", "devices", "order", "cpu", "memory", "pods", "labels", "state", "tenant", "foreign"],
)
def test_nodes_that_differ_in_what_decides_are_of_two_kinds(other: Node) -> None:
    assert kind_key(other) != kind_key(NODE)


def test_a_kind_numbers_its_slots_through_its_groups() -> None:
    kind = NodeKind(kind_key(NODE))
    assert kind.group_of == {"h100": 0, "mlu": 1}
    assert kind.masks == (0b001111, 0b110000)


def test_whole_devices_are_those_not_in_foreign_hands_even_below_nothing() -> None:
    foreign = ForeignUse(devices=(("h100", 1), ("mlu", 3)))
    assert NodeKind(kind_key(replace(NODE, foreign=foreign))).whole_devices == (3, -1)


@pytest.mark.parametrize("state", NodeState)
def test_the_state_says_whether_a_kind_takes_work_and_how_welcome_it_is(state: NodeState) -> None:
    kind = NodeKind(kind_key(replace(NODE, state=state, tenant="alpha")))
    assert kind.takes_work == (state in {NodeState.READY, NodeState.DEGRADED})
    assert kind.is_gone == (state is NodeState.GONE)
    assert kind.tier == ("alpha", state is NodeState.DEGRADED)
