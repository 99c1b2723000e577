from api.answers.fleet import node_answer
from scheduler.core.model.node import DeviceGroup, ForeignUse, Node, NodeState
from scheduler.core.model.tenant import Principal, Role
from scheduler.core.model.topology import Topology
from scheduler.ports.views import Holding, NodeView

READER = Principal("0123456789abcdef", "ada", Role.VIEWER, "demo")
NODE = Node(
    "mixed",
    "n1",
    (DeviceGroup("h100", 8, 81_920),),
    128_000,
    1_048_576,
    pods=110,
    topology=Topology((("nvlink", "a"), ("rack", "r1"))),
    labels=(("generation", "hopper"),),
    state=NodeState.SUSPECT,
    note="two workers were lost here",
    tenant="beta",
    foreign=ForeignUse((("h100", 2),), cpu_milli=4_000, memory_mib=16_384, pods=3),
)
HOLDINGS = (
    Holding("demo", "a", "a-g0-a1", "h100", 1, share_milli=500, share_memory_mib=40_960),
    Holding("beta", "b", "b-g0-a1", "h100", 0, share_milli=250, share_memory_mib=8_192),
)


def test_a_node_says_whose_it_is_what_its_state_means_and_who_else_uses_it() -> None:
    answer = node_answer(NodeView(NODE, 0, 0, HOLDINGS), READER)
    assert (answer.state, answer.text) == (
        NodeState.SUSPECT,
        "may be broken: keeps what it runs and takes nothing new",
    )
    assert (answer.tenant, answer.note) == ("beta", "two workers were lost here")
    assert (answer.topology, answer.labels) == ({"nvlink": "a", "rack": "r1"}, {"generation": "hopper"})
    assert [(group.held, group.shared_milli, group.foreign) for group in answer.devices] == [(1, 750, 2)]
    assert [None if one.share is None else one.share.milli for one in answer.holdings] == [500, 250]
    assert [one.job for one in answer.holdings] == ["a", None]
    assert answer.foreign.model_dump() == {"cpu_milli": 4_000, "memory_mib": 16_384, "pods": 3}
