from scheduler.core.ledger.index.domain import Domain
from scheduler.core.ledger.index.inventory import Inventory
from scheduler.core.ledger.states.node_entry import NodeEntry
from scheduler.core.model.topology import CLUSTER, RACK, Topology
from tests.builders.core import make_node

ZONE = "zone"
IN_RACK = Topology(((RACK, "r1"), (ZONE, "z1")))


def make_root() -> Domain:
    return Domain(CLUSTER, "mixed", None)


def entry_in(domain: Domain, name: str) -> NodeEntry:
    return NodeEntry(f"mixed/{name}", "", domain, Inventory().kind(make_node()).empty)


def test_a_node_stands_in_the_smallest_of_its_domains_and_through_it_in_all() -> None:
    rack = make_root().within(IN_RACK)
    assert (rack.level, rack.name, rack.topology) == (RACK, "r1", IN_RACK)
    assert [domain and domain.name for domain in (rack.at(RACK), rack.at(ZONE), rack.at(CLUSTER))] == [
        "r1",
        "z1",
        "mixed",
    ]
    assert rack.at("row") is None


def test_a_node_without_domains_stands_in_the_cluster_itself() -> None:
    root = make_root()
    assert root.within(Topology()) is root


def test_a_domain_is_made_once() -> None:
    root = make_root()
    assert root.within(IN_RACK) is root.within(IN_RACK)


def test_racks_of_one_name_in_two_zones_are_two() -> None:
    root = make_root()
    assert root.within(IN_RACK) is not root.within(Topology(((RACK, "r1"), (ZONE, "z2"))))


def test_domains_of_one_name_on_two_levels_have_paths_of_their_own() -> None:
    root = make_root()
    assert root.within(Topology(((RACK, "x"),))).path != root.within(Topology(((ZONE, "x"),))).path


def test_nodes_are_kept_by_name() -> None:
    one_by_one, at_once = make_root(), make_root()
    entries = [entry_in(one_by_one, name) for name in "cab"]
    for entry in entries:
        one_by_one.add(entry)
    at_once.add(*entries)
    for root in (one_by_one, at_once):
        assert [entry.id for entry in root.members] == ["mixed/a", "mixed/b", "mixed/c"]
        root.discard(entries[1])
        assert [entry.id for entry in root.members] == ["mixed/b", "mixed/c"]


def test_an_empty_domain_leaves_the_tree_with_all_that_it_leaves_empty() -> None:
    root = make_root()
    rack = root.within(IN_RACK)
    rack.prune()
    assert root.children == {}


def test_a_domain_with_nodes_or_with_smaller_domains_stays() -> None:
    root = make_root()
    rack = root.within(IN_RACK)
    other = root.within(Topology(((RACK, "r2"), (ZONE, "z1"))))
    rack.add(entry_in(rack, "a"))
    rack.prune()
    other.prune()
    (zone,) = root.children.values()
    zone.prune()
    assert list(root.children.values()) == [zone]
    assert list(zone.children.values()) == [rack]


def test_a_domain_that_left_does_not_take_its_successor_along() -> None:
    root = make_root()
    old = root.within(IN_RACK)
    old.prune()
    new = root.within(IN_RACK)
    old.prune()
    assert new is not old
    assert root.within(IN_RACK) is new
