from dataclasses import replace

from scheduler.core.model.change import ClusterSeen, NodeSeen
from scheduler.core.model.node import Cluster, NodeState
from tests.builders.core import as_change, make_node, make_state


def test_all_nodes_are_there_once_every_cluster_that_declares_them_has_reported_some() -> None:
    state = make_state(make_node())
    assert state.fleet.has_all_nodes
    state.apply(as_change(ClusterSeen(Cluster("late", "local"))))
    assert not state.fleet.has_all_nodes
    state.apply(as_change(NodeSeen(make_node("n1", cluster="late"))))
    assert state.fleet.has_all_nodes


def test_a_node_that_left_its_cluster_is_forgotten_where_nothing_is_held_on_it() -> None:
    node = make_node()
    state = make_state(node)
    state.apply(as_change(NodeSeen(replace(node, state=NodeState.GONE))))
    assert not state.ledger.has_node(node.id)


def test_a_cluster_that_comes_is_an_upheaval_and_a_node_of_it_is_room() -> None:
    state = make_state(make_node())
    change = as_change(ClusterSeen(Cluster("late", "local")))
    state.apply(change)
    assert state.news.upheaval == change.number
    known = state.news.now
    state.apply(as_change(NodeSeen(make_node("n1"))))
    assert ("mixed", "h100") in set(state.news.pools.since(known))
