"""What one attempt holds, node by node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.ledger.holds import rows_of
from scheduler.core.model.sharing.queue import COMPUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.core.ledger.states.amounts import Amounts
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import ChipName, ClusterName, NodeId, TenantName
    from scheduler.core.model.sharing.queue import Account

Row = tuple["NodeEntry", "Amounts", int]
"""A node, what is held of it, and the device slots as bits: of whole devices, or of the one that is shared.

A node may have several in one holding: one per share, and one for all whole devices of a chip type."""

Use = tuple["ClusterName", "ChipName", int]
"""Thousandths of devices of a chip type in a cluster; or of units of COMPUTE, in none."""


def compute_used(milli: int) -> tuple[Use, ...]:
    """Return what is used where something counts as so much of COMPUTE, in thousandths of units."""
    return (("", COMPUTE, milli),) if milli else ()


@dataclass(slots=True)
class SpeltOut:
    """What an attempt holds as its allocations say it. They are kept anyway, and rows are worked out of them."""

    tenant: TenantName
    allocations: tuple[Allocation, ...]
    account: Account | None = None
    """None: the tenant's own queue, and nobody."""

    def rows(self, entries: Mapping[NodeId, NodeEntry]) -> list[Row]:
        """Return its rows on the nodes as they are known now."""
        return rows_of(entries, self.allocations)

    def rows_on(self, entry: NodeEntry) -> list[Row]:
        """Return its rows on one node."""
        here = [held for held in self.allocations if held.node == entry.id]
        return rows_of({entry.id: entry}, here) if here else []

    def on_present_nodes(self, _entries: Mapping[NodeId, NodeEntry]) -> SpeltOut:
        """Return it on the nodes as they are known now: itself, for it knows them by name only."""
        return self

    def uses(self, rows: Iterable[Row]) -> list[Use]:
        """Return the devices, by cluster and chip type, of its rows; each pair may be named several times."""
        devices = [
            (entry.leftover.kind.cluster, amounts.chip, amounts.devices_milli)
            for entry, amounts, _ in rows
            if amounts.chip is not None
        ]
        return [*devices, *compute_used(sum(held.compute_milli for held in self.allocations))]


@dataclass(slots=True)
class Seated:
    """What an attempt holds whose workers were seated."""

    tenant: TenantName
    seats: list[Row]
    """Not to be changed."""
    devices: tuple[Use, ...]
    account: Account | None = None
    """As above."""

    def rows(self, _entries: Mapping[NodeId, NodeEntry]) -> list[Row]:
        """Return its rows."""
        return self.seats

    def rows_on(self, entry: NodeEntry) -> list[Row]:
        """Return its rows on one node."""
        return [row for row in self.seats if row[0] is entry]

    def on_present_nodes(self, entries: Mapping[NodeId, NodeEntry]) -> Seated:
        """Return it on the nodes as they are known now: they may have gone and come back since it was made."""
        if all(entries.get(entry.id) is entry for entry, _, _ in self.seats):
            return self
        seats = [(entries[entry.id], amounts, mask) for entry, amounts, mask in self.seats]
        return Seated(self.tenant, seats, self.devices, self.account)

    def uses(self, _rows: Iterable[Row]) -> tuple[Use, ...]:
        """Return the devices, by cluster and chip type; each pair may be named several times."""
        return self.devices


Holding = SpeltOut | Seated


def lines_of(tenant: TenantName, rows: Iterable[Row]) -> list[tuple[object, ...]]:
    """Return rows in a canonical form: equal for equal holdings, however they are divided into rows.

    Pods are told per node: of shares on a node of their own the first one takes them all.
    """
    totals: dict[tuple[str, str, int], list[int]] = {}
    for entry, amounts, mask in rows:
        key = (entry.id, amounts.chip or "", mask if amounts.share_milli else 0)
        total = totals.setdefault(key, [0] * 7)
        figures = (amounts.devices, amounts.cpu_milli, amounts.memory_mib)
        for place, figure in enumerate((*figures, amounts.share_milli, amounts.share_memory_mib, mask)):
            total[place] += figure
        totals.setdefault((entry.id, "", 0), [0] * 7)[6] += amounts.pods
    return [(tenant, *key, *totals[key]) for key in sorted(totals)]
