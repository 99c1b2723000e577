from api.text.nodes import node_state_text
from scheduler.core.model.node import TAKES_WORK, NodeState


def test_every_state_says_whether_a_node_takes_new_work() -> None:
    for state in NodeState:
        assert ("takes new work" in node_state_text(state)) == (state in TAKES_WORK)
