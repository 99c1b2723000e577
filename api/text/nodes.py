"""What a node's state means for new work."""

from typing import assert_never

from scheduler.core.model.node import NodeState


def node_state_text(state: NodeState) -> str:
    """Return it as a clause."""
    match state:
        case NodeState.READY:
            return "takes new work"
        case NodeState.DEGRADED:
            return "works, but not as it should: takes new work only where no other node has room"
        case NodeState.SUSPECT:
            return "may be broken: keeps what it runs and takes nothing new"
        case NodeState.DRAINED:
            return "keeps what it runs and takes nothing new"
        case NodeState.GONE:
            return "has left its cluster; listed until nothing is held on it"
    assert_never(state)
