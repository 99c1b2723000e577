"""Whether allocations fit, checked as strictly as the database does."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scheduler.core.ledger.changes import Overcommitted
from scheduler.core.ledger.states.slots import mask_of
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.core.ledger.holding import Row
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import ChipName, TenantName
    from scheduler.core.model.node import Cluster


def are_plainly_free(rows: Sequence[Row]) -> bool:
    """Say whether rows are of no share, of slots that nobody holds, and no two of one node.

    `check_slots` has nothing to refuse then.
    """
    for entry, amounts, mask in rows:
        if amounts.share_milli or mask & entry.held_mask:
            return False
        if mask and mask.bit_count() != amounts.devices:  # some have no slot, or a slot is named twice
            return False
    return len(rows) == 1 or len({entry.id for entry, _, _ in rows}) == len(rows) > 0


def check_slots(entry: NodeEntry, allocations: Sequence[Allocation]) -> None:
    """Raise Overcommitted if a slot is asked for twice or held already; shares of one device may meet on its slot.

    So do a share that names no slot or several, for it is of one device, and a slot below 0.
    """
    for held in allocations:
        if held.share_milli:
            _check(entry, "share", abs(len(held.slots) - 1), 0)
        if held.slots and min(held.slots) < 0:
            raise Overcommitted(entry.id, "slots", asked=len(held.slots), free=0)
    whole = Counter(slot for held in allocations if not held.share_milli for slot in held.slots)
    shared = {slot for held in allocations if held.share_milli for slot in held.slots}
    already_shared = entry.shared or {}
    free = {slot for slot in whole if not entry.held_mask >> slot & 1} - shared
    free_to_share = {slot for slot in shared if slot in already_shared or not entry.held_mask >> slot & 1}
    asked = whole.total() + len(shared)
    if len(free) + len(free_to_share) < asked:
        raise Overcommitted(entry.id, "slots", asked=asked, free=len(free) + len(free_to_share))


def check_room(
    entry: NodeEntry, tenant: TenantName, allocations: Sequence[Allocation], cluster: Cluster | None
) -> None:
    """Raise Overcommitted if the allocations do not fit into what the node has free for the tenant."""
    left, kind = entry.leftover, entry.leftover.kind
    if not kind.takes_work or kind.tenant not in (None, tenant):
        raise Overcommitted(entry.id, "node", asked=len(allocations), free=0)
    for held in allocations:
        _check_form(entry, held, cluster)
    check_slots(entry, allocations)
    for chip in dict.fromkeys(held.chip for held in allocations if held.chip is not None):
        _check_devices(entry, chip, [held for held in allocations if held.chip == chip], cluster)
    for resource, asked, free in (
        ("cpu", sum(held.cpu_milli for held in allocations), left.cpu_milli),
        ("memory", sum(held.memory_mib for held in allocations), left.memory_mib),
        ("pods", sum(held.pods for held in allocations), left.pods),
    ):
        _check(entry, resource, asked, free)


def _check_form(entry: NodeEntry, held: Allocation, cluster: Cluster | None) -> None:
    """Raise Overcommitted if no node of the cluster has such a thing to give, whatever is free."""
    if held.chip is None:
        _check(entry, "devices", len(held.slots) + held.counted, 0)
    if cluster is not None and not cluster.binds_devices:
        _check(entry, "slots", len(held.slots), 0)


def _check_devices(
    entry: NodeEntry, chip: ChipName, allocations: Sequence[Allocation], cluster: Cluster | None
) -> None:
    kind = entry.leftover.kind
    group = kind.group_of.get(chip)
    asked = sum(held.devices for held in allocations)
    shares = [held for held in allocations if held.share_milli]
    if group is None:
        _check(entry, "devices", asked + len(shares), 0)
        return
    own = kind.masks[group]
    mask = mask_of(tuple(slot for held in allocations for slot in held.slots))
    _check(entry, "slots", mask.bit_count(), (mask & own).bit_count())
    if cluster is not None and not cluster.enforces_shares:
        _check(entry, "share", len(shares), 0)
    if cluster is None or cluster.binds_devices:
        _check(entry, "slots", sum(held.counted for held in allocations), 0)
    already_shared = entry.shared or {}
    newly_shared = {held.slots[0] for held in shares} - already_shared.keys()
    _check(entry, "devices", asked + len(newly_shared), max(0, entry.leftover.free[group]))
    whole = (WHOLE_DEVICE_MILLI, kind.devices[group].memory_mib)
    for slot in dict.fromkeys(held.slots[0] for held in shares):
        milli, memory_mib = already_shared.get(slot, whole)
        on_slot = [held for held in shares if held.slots[0] == slot]
        _check(entry, "share", sum(held.share_milli for held in on_slot), milli)
        _check(entry, "share", sum(held.share_memory_mib for held in on_slot), memory_mib)


def _check(entry: NodeEntry, resource: str, asked: int, free: int) -> None:
    if asked > max(0, free):
        raise Overcommitted(entry.id, resource, asked=asked, free=max(0, free))
