"""One node in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.core.ledger.index.domain import Domain
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.model.identifiers import NodeId

Share = tuple[int, int]
"""What is left of a shared device: thousandths of its compute, MiB of its memory."""


class NodeEntry:
    """Where a node stands and what it has left. Mutable; only the ledger changes it."""

    __slots__ = ("domain", "held_mask", "id", "leftover", "note", "shared")

    def __init__(self, node: NodeId, note: str, domain: Domain, leftover: Leftover) -> None:
        self.id = node
        self.note = note
        self.domain = domain
        """The smallest domain it is in."""
        self.leftover = leftover
        self.held_mask = 0
        """Device slots of which anything is held, as bits."""
        self.shared: dict[int, Share] | None = None
        """By slot what shared devices have left; None where no device is shared."""
