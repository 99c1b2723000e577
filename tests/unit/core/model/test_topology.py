from scheduler.core.model.topology import RACK, Topology


def test_a_node_names_its_domain_of_each_level() -> None:
    topology = Topology(((RACK, "r1"), ("zone", "z1")))
    assert (topology.domain(RACK), topology.domain("zone")) == ("r1", "z1")


def test_a_level_without_a_domain_is_none() -> None:
    assert Topology().domain(RACK) is None
