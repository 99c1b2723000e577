"""What a node has left after it became another kind of node under what it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.core.ledger.holds import shared_devices
from scheduler.core.ledger.states.leftover import Left
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.core.ledger.holding import Row
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.states.amounts import Amounts
    from scheduler.core.ledger.states.leftover import Leftover
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.ledger.states.node_kind import NodeKind


def carried_over(inventory: Inventory, entry: NodeEntry, kind: NodeKind) -> Leftover:
    """Return what a node has left as another kind with the same devices: as much more or less as the kinds differ."""
    old, empty = entry.leftover, entry.leftover.kind.empty
    if kind.devices != old.kind.devices:
        return kind.empty
    free = tuple(now + left - before for now, left, before in zip(kind.empty.free, old.free, empty.free, strict=True))
    return inventory.leftover(
        Left(
            kind,
            free,
            old.shared,
            kind.empty.cpu_milli + old.cpu_milli - empty.cpu_milli,
            kind.empty.memory_mib + old.memory_mib - empty.memory_mib,
            kind.empty.pods + old.pods - empty.pods,
        )
    )


def is_misplaced(entry: NodeEntry, amounts: Amounts, mask: int) -> bool:
    """Say whether slots are held that are not, or no longer, those of the chip type that they are held for."""
    kind = entry.leftover.kind
    group = None if amounts.chip is None else kind.group_of.get(amounts.chip)
    return bool(mask & ~(0 if group is None else kind.masks[group]))


def counted_anew(inventory: Inventory, entry: NodeEntry, rows: Sequence[Row]) -> Leftover:
    """Return what a node has left under these rows, and put its slots right.

    Of a chip type no more devices are free than slots that nobody holds, whatever their numbers meant before.
    """
    kind = entry.leftover.kind
    entry.held_mask = 0
    shared: dict[int, tuple[int, int]] = {}
    held = dict.fromkeys(kind.group_of, 0)
    left = kind.empty.left
    for _, amounts, mask in rows:
        entry.held_mask |= mask
        if amounts.chip in held:
            held[amounts.chip] += amounts.devices
        left = left.plus(amounts, -1)
        group = next((place for place, own in enumerate(kind.masks) if own & mask), None)
        if amounts.share_milli:
            slot = mask.bit_length() - 1
            whole_mib = 0 if group is None else kind.devices[group].memory_mib
            milli, memory_mib = shared.get(slot, (WHOLE_DEVICE_MILLI, whole_mib))
            shared[slot] = (milli - amounts.share_milli, memory_mib - amounts.share_memory_mib)
    entry.shared = shared or None
    parts = shared_devices(kind, shared)
    free = tuple(
        min(whole - held[group.chip] - sum(at == place for at, _, _ in parts), (own & ~entry.held_mask).bit_count())
        for place, (group, whole, own) in enumerate(zip(kind.devices, kind.whole_devices, kind.masks, strict=True))
    )
    return inventory.leftover(Left(kind, free, parts, left.cpu_milli, left.memory_mib, left.pods))
