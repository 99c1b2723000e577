from itertools import islice

from scheduler.core.model.node import NodeState
from scheduler.simulator.workloads.outages import Breaking, Drain, in_order
from scheduler.simulator.workloads.spans import Fixed
from tests.builders.simulating import make_nodes


def test_nodes_break_as_often_as_was_said_and_come_back() -> None:
    changes = list(Breaking(1_000, Fixed(10)).changes(make_nodes(10), seed=1, until_s=10_000))
    broken = [change for change in changes if change.nodes[0].state is NodeState.GONE]
    assert 70 < len(broken) < 130
    assert [change.at_s for change in changes] == sorted(change.at_s for change in changes)
    back = [change.at_s for change in changes if change.nodes[0].state is NodeState.READY]
    assert len(broken) - 1 <= len(back) <= len(broken)


def test_a_node_that_is_away_does_not_break_again() -> None:
    away: set[str] = set()
    for change in Breaking(10, Fixed(50)).changes(make_nodes(4), seed=1, until_s=5_000):
        (node,) = change.nodes
        assert (node.name in away) is (node.state is NodeState.READY)
        away ^= {node.name}


def test_no_nodes_never_break() -> None:
    assert not list(Breaking(10, Fixed(50)).changes((), seed=1, until_s=5_000))


def test_a_drain_begins_and_ends() -> None:
    nodes = make_nodes(2)
    drains = Drain(100, 50, nodes).changes(), Drain(120, 500, nodes[:1]).changes()
    found = [(change.at_s, [node.state.value for node in change.nodes]) for change in in_order(*drains)]
    assert found == [
        (100, ["drained", "drained"]),
        (120, ["drained"]),
        (150, ["ready", "ready"]),
        (620, ["ready"]),
    ]


def test_the_same_seed_breaks_the_same_nodes() -> None:
    def first(seed: int) -> list[tuple[float, str]]:
        changes = Breaking(100, Fixed(10)).changes(make_nodes(8), seed=seed, until_s=10_000)
        return [(change.at_s, change.nodes[0].name) for change in islice(changes, 20)]

    assert first(1) == first(1) != first(2)
