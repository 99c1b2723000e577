"""What can be done to a ledger, and how it refuses."""

from dataclasses import dataclass

from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, NodeId, TenantName
from scheduler.core.model.node import Node


@dataclass(frozen=True, slots=True)
class Hold:
    """Give an attempt its allocations, all of them or none. Raises Overcommitted, AlreadyHeld."""

    attempt: AttemptId
    tenant: TenantName
    allocations: tuple[Allocation, ...]


@dataclass(frozen=True, slots=True)
class Restore:
    """Write down what an attempt already holds in truth, even on a node that has since shrunk or left.

    Raises AlreadyHeld, and Overcommitted where a node is unknown or a device slot is held by another attempt.
    """

    attempt: AttemptId
    tenant: TenantName
    allocations: tuple[Allocation, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Free all that an attempt holds. Raises NotHeld."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class PutNode:
    """Add a node, or replace it by its new self; what is held on it stays held, whatever its new state or size."""

    node: Node


@dataclass(frozen=True, slots=True)
class RemoveNode:
    """Forget a node. Raises UnknownNode, and NodeInUse while something is held on it."""

    node: NodeId


LedgerChange = Hold | Restore | Release | PutNode | RemoveNode


class Overcommitted(Exception):
    """More was asked than a node has free; the ledger is as before."""

    def __init__(self, node: NodeId, resource: str, *, asked: int, free: int) -> None:
        super().__init__(f"{node} has {free} {resource} free, {asked} asked")
        self.node = node
        self.resource = resource
        """`node` (it is unknown), `slots`, `devices`, `cpu`, `memory` or `pods`."""
        self.asked = asked
        self.free = free


class AlreadyHeld(KeyError):
    """The attempt holds something already; `args[0]` names it."""


class NotHeld(KeyError):
    """The attempt holds nothing; `args[0]` names it."""


class UnknownNode(KeyError):
    """The ledger has no such node; `args[0]` names it."""


class NodeInUse(Exception):
    """Something is held on the node; `args[0]` names it."""
