"""What a node has left. Nodes of one kind that have the same left are one bucket: to a job they are all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scheduler.core.ledger.index.names import Names
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from scheduler.core.ledger.states.amounts import Amounts
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.identifiers import NodeId

SharedDevice = tuple[int, int, int]
"""A device of which somebody holds a share: its group on the node, compute left in thousandths, memory left in MiB."""


class Left(NamedTuple):
    """What is left on a node of a kind. Amounts fall below 0 where a node shrank under what runs on it."""

    kind: NodeKind
    free: tuple[int, ...]
    """Whole devices per device group."""
    shared: tuple[SharedDevice, ...]
    """In order."""
    cpu_milli: int
    memory_mib: int
    pods: int

    def plus(self, amounts: Amounts, sign: int) -> Left:
        """Return it with whole devices, cpu, memory and pods given back (1) or taken (-1)."""
        free = self.free
        group = self.kind.group_of.get(amounts.chip) if amounts.chip is not None else None
        if group is not None and amounts.devices:
            free = (*free[:group], free[group] + sign * amounts.devices, *free[group + 1 :])
        return Left(
            self.kind,
            free,
            self.shared,
            self.cpu_milli + sign * amounts.cpu_milli,
            self.memory_mib + sign * amounts.memory_mib,
            self.pods + sign * amounts.pods,
        )

    def share_taken(self, amounts: Amounts, group: int, device: SharedDevice | None) -> Left:
        """Return it with a share taken of one of the shared devices, or of a whole one where `device` is None."""
        shared = list(self.shared)
        free = self.free
        if device is None:
            free = (*free[:group], free[group] - 1, *free[group + 1 :])
            device = (group, WHOLE_DEVICE_MILLI, self.kind.devices[group].memory_mib)
        else:
            shared.remove(device)
        shared.append((group, device[1] - amounts.share_milli, device[2] - amounts.share_memory_mib))
        rest = self.plus(amounts, -1)
        return Left(self.kind, free, tuple(sorted(shared)), rest.cpu_milli, rest.memory_mib, rest.pods)


class Leftover:
    """One distinct state that nodes are in. There is one object for each, so that they are compared by identity."""

    __slots__ = ("after", "before", "cpu_milli", "free", "kind", "left", "memory_mib", "names", "pods", "shared")

    def __init__(self, left: Left, entries: dict[NodeId, NodeEntry]) -> None:
        self.left = left
        self.kind, self.free, self.shared, self.cpu_milli, self.memory_mib, self.pods = left
        self.names = Names(entries, self)
        """All nodes in this state."""
        self.after: dict[Amounts, Leftover] = {}
        """What is left once these amounts are taken, of those taken so far; never with a share."""
        self.before: dict[Amounts, Leftover] = {}
        """What is left once they are given back; never with a share."""

    @property
    def is_untouched(self) -> bool:
        """True where nobody holds anything, be it Medley's work or foreign."""
        return self is self.kind.empty and not self.kind.foreign.pods and not self.kind.foreign.devices


def left_when_empty(kind: NodeKind) -> Left:
    """Return what a node has left on which Medley runs nothing."""
    foreign = kind.foreign
    return Left(
        kind,
        kind.whole_devices,
        (),
        kind.cpu_milli - foreign.cpu_milli,
        kind.memory_mib - foreign.memory_mib,
        kind.pods - foreign.pods,
    )
