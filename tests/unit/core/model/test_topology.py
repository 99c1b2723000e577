from scheduler.core.model.topology import ANYWHERE_CLOSE, RACK, Topology


def test_a_node_names_its_domain_of_each_level() -> None:
    topology = Topology(((RACK, "r1"), ("zone", "z1")))
    assert (topology.domain(RACK), topology.domain("zone")) == ("r1", "z1")


def test_a_level_without_a_domain_is_none() -> None:
    assert Topology().domain(RACK) is None
    assert Topology(((RACK, "r1"),)).domain("zone") is None


def test_a_gang_that_says_nothing_demands_no_level_and_prefers_every_one() -> None:
    assert (ANYWHERE_CLOSE.required, ANYWHERE_CLOSE.preferred) == (None, None)
