from collections.abc import Iterator

import pytest

from scheduler.core.ledger.states.node_kind import NodeKind
from scheduler.core.model.node import Node, NodeState
from scheduler.core.placement.scoring.facts import NO_FACTS, HardwareFacts, facts_of
from tests.builders.core import make_ledger, make_node


def kinds(*nodes: Node) -> Iterator[tuple[NodeKind, int]]:
    return make_ledger(*nodes).inventory.kinds()


def test_the_median_device_says_what_is_usual() -> None:
    nodes = [
        make_node("a", {"h100": 8}, cpu_milli=96_000),
        make_node("b", {"h100": 4}, cpu_milli=32_000),
        make_node("c", {"mlu": 2}, cpu_milli=2_000),
    ]
    facts = facts_of(kinds(*nodes))
    assert (facts.cpu_milli_per_device, facts.devices_per_node) == (12_000, 8)
    assert dict(facts.shares) == {"h100": pytest.approx(12 / 14), "mlu": pytest.approx(2 / 14)}


def test_nodes_count_by_their_devices_and_the_lower_of_two_medians_is_taken() -> None:
    nodes = [make_node(f"n{at}", {"t4": 1}, cpu_milli=4_000) for at in range(8)]
    facts = facts_of(kinds(*nodes, make_node("big", {"h100": 8}, cpu_milli=64_000)))
    assert (facts.cpu_milli_per_device, facts.devices_per_node) == (4_000, 1)


def test_what_runs_or_sleeps_on_a_node_changes_nothing_about_its_hardware() -> None:
    awake, asleep = make_node(cpu_milli=8_000), make_node(cpu_milli=8_000, state=NodeState.DRAINED)
    assert facts_of(kinds(awake)) == facts_of(kinds(asleep))


def test_a_node_with_two_chip_types_counts_for_both() -> None:
    facts = facts_of(kinds(make_node(devices={"h100": 3, "mlu": 1}, cpu_milli=8_000)))
    assert dict(facts.shares) == {"h100": 0.75, "mlu": 0.25}
    assert facts.cpu_milli_per_device == 2_000


def test_without_devices_there_are_no_facts() -> None:
    assert facts_of([]) is NO_FACTS
    assert facts_of(kinds(make_node(devices={}))) is NO_FACTS
    assert HardwareFacts() == NO_FACTS
