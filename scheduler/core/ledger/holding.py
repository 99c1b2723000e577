"""What one attempt holds, node by node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.core.ledger.states.amounts import Amounts
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName

Row = tuple["NodeEntry", "Amounts", int]
"""A node, what is held of it, and the device slots as bits: of whole devices, or of the one that is shared."""

Use = tuple["ClusterName", "ChipName", int]
"""Thousandths of devices of a chip type in a cluster."""


@dataclass(slots=True)
class Holding:
    """Rows of one attempt. A node may have several: one per share, and one for all whole devices of a chip type."""

    tenant: TenantName
    rows: list[Row]
    """Not to be changed."""
    uses: tuple[Use, ...]
    """The devices, by cluster and chip type; each pair may be named several times."""

    def lines(self) -> list[tuple[object, ...]]:
        """Return it in a canonical form: equal for equal holdings, however they are divided into rows.

        Pods are told per node: of shares on a node of their own the first one takes them all.
        """
        totals: dict[tuple[str, str, int], list[int]] = {}
        for entry, amounts, mask in self.rows:
            key = (entry.id, amounts.chip or "", mask if amounts.share_milli else 0)
            total = totals.setdefault(key, [0] * 7)
            figures = (amounts.devices, amounts.cpu_milli, amounts.memory_mib)
            for place, figure in enumerate((*figures, amounts.share_milli, amounts.share_memory_mib, mask)):
                total[place] += figure
            totals.setdefault((entry.id, "", 0), [0] * 7)[6] += amounts.pods
        return [(self.tenant, *key, *totals[key]) for key in sorted(totals)]
