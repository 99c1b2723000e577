"""What can be done to a ledger, and how it refuses."""

from dataclasses import dataclass

from scheduler.core.ledger.holding import Holding, Row, Use
from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.amounts import Amounts
from scheduler.core.ledger.states.node_entry import NodeEntry
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, NodeId, TenantName
from scheduler.core.model.node import Cluster, Node
from scheduler.core.model.sharing.queue import Account


@dataclass(frozen=True, slots=True)
class Hold:
    """Give an attempt its allocations, all of them or none. Raises Overcommitted, AlreadyHeld."""

    attempt: AttemptId
    tenant: TenantName
    allocations: tuple[Allocation, ...]
    account: Account | None = None
    """None: the tenant's own queue, and nobody."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Give an attempt what placement found for it, while nothing has changed since. Raises Overcommitted, AlreadyHeld.

    The same as to Hold the allocations that the seatings amount to, without spelling them out.
    """

    attempt: AttemptId
    tenant: TenantName
    seatings: tuple[Seating, ...]
    account: Account | None = None
    """As of a Hold."""
    compute_milli: int = 0
    """What it counts as of COMPUTE, in thousandths of units."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Write down what an attempt already holds in truth, even on a node that has since shrunk or left.

    Raises AlreadyHeld, and Overcommitted where a node is unknown, a device slot is held by another attempt, or a share
    is not of one slot.
    """

    attempt: AttemptId
    tenant: TenantName
    allocations: tuple[Allocation, ...]
    account: Account | None = None
    """As of a Hold."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """Let nodes give something to nobody, for somebody who is to have it later. Raises AlreadyHeld.

    No device slots are chosen. Released like what an attempt holds, by its name.
    """

    name: AttemptId
    """No attempt's."""
    amounts: tuple[tuple[NodeEntry, Amounts], ...]
    """No more than each node has left, and no shares of devices."""
    tenant: TenantName = ""
    """Whose use it counts as; nobody's."""
    uses: tuple[Use, ...] = ()
    """What counts, be it more or less than what is set aside by now."""
    account: Account | None = None
    """As of a Hold."""


@dataclass(frozen=True, slots=True)
class Release:
    """Free all that an attempt holds. Raises NotHeld."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Retake:
    """Hold again exactly what a Release gave back: its inverse. Raises AlreadyHeld."""

    attempt: AttemptId
    holding: Holding
    rows: list[Row]
    """What it had of which node."""


@dataclass(frozen=True, slots=True)
class PutNode:
    """Add a node, or replace it by its new self; what is held on it stays held, whatever its new state or size."""

    node: Node


@dataclass(frozen=True, slots=True)
class RemoveNode:
    """Forget a node. Raises UnknownNode, and NodeInUse while something is held on it."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class PutCluster:
    """Say what a cluster can do; until then it is taken to bind devices and to enforce shares."""

    cluster: Cluster


LedgerChange = Hold | Seat | SetAside | Restore | Release | Retake | PutNode | RemoveNode | PutCluster


class Overcommitted(Exception):
    """More was asked than a node has free; the ledger is as before."""

    def __init__(self, node: NodeId, resource: str, *, asked: int, free: int) -> None:
        super().__init__(f"{node} has {free} {resource} free, {asked} asked")
        self.node = node
        self.resource = resource
        """`node` (it is unknown, refuses work or is another tenant's), `slots`, `devices`, `share`, `cpu`,
        `memory` or `pods`."""
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
