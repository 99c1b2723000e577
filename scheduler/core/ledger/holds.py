"""Taking from nodes and giving back, row by row."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from scheduler.core.ledger.index.names import MOST_FRESH
from scheduler.core.ledger.index.pool import MOST_MOVES
from scheduler.core.ledger.states.amounts import Amounts, amounts_of
from scheduler.core.ledger.states.demand import amounts_for
from scheduler.core.ledger.states.leftover import Left
from scheduler.core.ledger.states.slots import mask_of
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler.core.ledger.holding import Row
    from scheduler.core.ledger.index.inventory import Inventory
    from scheduler.core.ledger.seating import Seating
    from scheduler.core.ledger.states.leftover import Leftover, SharedDevice
    from scheduler.core.ledger.states.node_entry import NodeEntry, Share
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import ChipName, NodeId

TAKE = -1
GIVE = 1


def rows_of(entries: Mapping[NodeId, NodeEntry], allocations: Sequence[Allocation]) -> list[Row]:
    """Return what allocations hold, one row per share and one per node and chip type; the nodes must be known."""
    if len(allocations) == 1:  # as for most attempts
        return [_row(entries[allocations[0].node], allocations[0])]
    whole: dict[tuple[NodeId, ChipName | None], list[Allocation]] = defaultdict(list)
    rows: list[Row] = []
    for held in allocations:
        if held.share_milli:
            rows.append(_row(entries[held.node], held))
        else:
            whole[held.node, held.chip].append(held)
    for (node, chip), together in whole.items():
        mask = 0
        devices = cpu_milli = memory_mib = pods = 0
        for held in together:
            mask |= mask_of(held.slots)
            devices += held.devices
            cpu_milli += held.cpu_milli
            memory_mib += held.memory_mib
            pods += held.pods
        rows.append((entries[node], amounts_of(chip, devices, cpu_milli, memory_mib, pods), mask))
    return rows


def _row(entry: NodeEntry, held: Allocation) -> Row:
    whole = (held.chip, held.devices, held.cpu_milli, held.memory_mib, held.pods)
    if held.share_milli:
        return entry, amounts_of(*whole, held.share_milli, held.share_memory_mib), mask_of(held.slots)
    return entry, amounts_of(*whole), mask_of(held.slots)


def seat(inventory: Inventory, seating: Seating) -> list[Row] | None:
    """Let workers take their seats; None, and nothing changed, where a node is not as it was then."""
    rows: list[Row] = []
    demand = seating.demand
    amounts_by_workers: dict[int, Amounts] = {}
    columns = zip(seating.nodes, seating.before, seating.masks, seating.workers, strict=True)
    for entry, before, mask, workers in columns:
        amounts = amounts_by_workers.get(workers)
        if amounts is None or demand.is_exclusive:
            amounts = amounts_by_workers[workers] = amounts_for(demand, workers, before)
        if entry.leftover is not before or not _is_free(entry, amounts, mask):
            change_rows(inventory, rows[::-1], GIVE)
            return None
        if amounts.share_milli:
            _move(entry, before, inventory.leftover(_after_share(entry, amounts, mask, TAKE)))
        else:
            entry.held_mask |= mask
            _move(entry, before, before.after.get(amounts) or _after(inventory, before, amounts, TAKE))
        rows.append((entry, amounts, mask))
    return rows


def _is_free(entry: NodeEntry, amounts: Amounts, mask: int) -> bool:
    """Say whether slots can still be taken; nodes may be in the same state and have other slots free."""
    if amounts.share_milli and entry.shared is not None:
        left = entry.shared.get(mask.bit_length() - 1)
        if left is not None:
            return left[0] >= amounts.share_milli and left[1] >= amounts.share_memory_mib
    return not entry.held_mask & mask


def change_rows(inventory: Inventory, rows: Sequence[Row], sign: int) -> None:
    """Take rows (-1) or give them back (1)."""
    for entry, amounts, mask in rows:
        old = entry.leftover
        if amounts.share_milli:
            new = inventory.leftover(_after_share(entry, amounts, mask, sign))
        else:
            entry.held_mask ^= mask
            known = old.before if sign == GIVE else old.after
            new = known.get(amounts) or _after(inventory, old, amounts, sign)
        _move(entry, old, new)


def _move(entry: NodeEntry, old: Leftover, new: Leftover) -> None:
    """Let a node go from one state to another, and tell the pools that somebody looks at."""
    entry.leftover = new
    kind = old.kind
    if kind.is_gone:
        return
    old.names.count -= 1
    names = new.names
    names.count += 1
    names.fresh.append(entry.id)
    if len(names.fresh) > MOST_FRESH + 2 * names.count:
        names.forget_stale()
    for pool in kind.pools:
        if pool.rooms:
            pool.moves.append((entry.domain, old, new))
            if len(pool.moves) > MOST_MOVES:
                pool.forget_moves()


def _after(inventory: Inventory, old: Leftover, amounts: Amounts, sign: int) -> Leftover:
    """Return the state after whole devices were taken or given back, and remember it."""
    new = inventory.leftover(old.left.plus(amounts, sign))
    (old.before if sign == GIVE else old.after)[amounts] = new
    return new


def _after_share(entry: NodeEntry, amounts: Amounts, mask: int, sign: int) -> Left:
    """Take or give back a share of a node's device; return what it has left then."""
    old = entry.leftover
    kind = old.kind
    slot = mask.bit_length() - 1
    group = next((place for place, its_mask in enumerate(kind.masks) if its_mask & mask), None)
    if group is None:  # the node shrank under it; whoever holds there is counted anew
        return old.left.plus(amounts, sign)
    shared = dict(entry.shared or {})
    whole = (WHOLE_DEVICE_MILLI, kind.devices[group].memory_mib)
    milli, memory_mib = shared.get(slot, whole)
    after = (milli + sign * amounts.share_milli, memory_mib + sign * amounts.share_memory_mib)
    free = list(old.free)
    free[group] -= slot not in shared
    shared[slot] = after
    if after == whole:
        del shared[slot]
        free[group] += 1
    entry.held_mask = entry.held_mask | mask if slot in shared else entry.held_mask & ~mask
    entry.shared = shared or None
    rest = old.left.plus(amounts, sign)
    return Left(kind, tuple(free), shared_devices(kind, shared), rest.cpu_milli, rest.memory_mib, rest.pods)


def shared_devices(kind: NodeKind, shared: dict[int, Share]) -> tuple[SharedDevice, ...]:
    """Return the shared devices of a node in a canonical order, whatever their slots."""
    return tuple(
        sorted(
            (group, *left) for slot, left in shared.items() for group, mask in enumerate(kind.masks) if mask >> slot & 1
        )
    )
