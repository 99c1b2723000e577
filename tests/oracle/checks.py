"""Whether a node takes allocations, told from all that is known of it, in the words of the guarded counters."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.model.node import TAKES_WORK, Cluster, Node
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scheduler.core.model.attempt import Allocation

Share = tuple[int, int]
"""Thousandths and MiB."""


@dataclass
class Slots:
    """Device slots of one node as allocations leave them."""

    whole: set[int]
    shared: dict[int, Share]
    """What is held of each."""


@dataclass
class Rest:
    """What one node has left, by name."""

    free: dict[str, int]
    """Whole devices; below 0 where more is held than there is."""
    shared: dict[int, Share]
    """What devices have left of which somebody holds a share, by slot."""
    cpu_milli: int
    memory_mib: int
    pods: int
    is_untouched: bool


def slots_of(held: Iterable[Allocation]) -> Slots:
    """Return the slots that allocations hold, whatever chip type they are of now."""
    whole: set[int] = set()
    shared: dict[int, Share] = {}
    for one in held:
        if one.share_milli:
            milli, memory_mib = shared.get(one.slots[0], (0, 0))
            shared[one.slots[0]] = (milli + one.share_milli, memory_mib + one.share_memory_mib)
        else:
            whole |= set(one.slots)
    return Slots(whole, shared)


def rest_of(node: Node, held: Sequence[Allocation]) -> Rest:
    """Return what a node has left; of a chip type no more devices are free than slots that nobody holds."""
    slots = slots_of(held)
    free: dict[str, int] = {}
    shared: dict[int, Share] = {}
    for group in node.devices:
        own = node.slots(group.chip)
        for slot in own:
            if slot in slots.shared:
                milli, memory_mib = slots.shared[slot]
                shared[slot] = (WHOLE_DEVICE_MILLI - milli, group.memory_mib - memory_mib)
        counted = sum(one.devices for one in held if one.chip == group.chip)
        by_count = group.count - node.foreign.devices_of(group.chip) - counted - sum(slot in shared for slot in own)
        free[group.chip] = min(by_count, sum(slot not in slots.whole | slots.shared.keys() for slot in own))
    return Rest(
        free=free,
        shared=shared,
        cpu_milli=node.cpu_milli - node.foreign.cpu_milli - sum(one.cpu_milli for one in held),
        memory_mib=node.memory_mib - node.foreign.memory_mib - sum(one.memory_mib for one in held),
        pods=node.pods - node.foreign.pods - sum(one.pods for one in held),
        is_untouched=not held and not node.foreign.pods and not node.foreign.devices,
    )


def slots_clash(held: Sequence[Allocation], asked: Sequence[Allocation]) -> bool:
    """Say whether a slot is asked for that is held, or asked for twice; shares may meet on one."""
    there = slots_of(held)
    wanted = Counter(slot for one in asked if not one.share_milli for slot in one.slots)
    shared = {one.slots[0] for one in asked if one.share_milli}
    return any(
        count > 1 or slot in there.whole or slot in there.shared or slot in shared for slot, count in wanted.items()
    ) or bool(shared & there.whole)


def is_refused(
    node: Node, cluster: Cluster, tenant: str, held: Sequence[Allocation], asked: Sequence[Allocation]
) -> bool:
    """Say whether a node does not take new allocations of a tenant beside what is held on it."""
    if node.state not in TAKES_WORK or node.tenant not in (None, tenant) or slots_clash(held, asked):
        return True
    rest = rest_of(node, held)
    if any(not _suits(node, cluster, one) for one in asked):
        return True
    by_chip: dict[str, int] = defaultdict(int)
    for one in asked:
        if one.chip is not None:
            by_chip[one.chip] += one.devices
    taken = slots_of(asked).shared
    for slot, (milli, memory_mib) in taken.items():
        chip = next(one.chip for one in asked if one.share_milli and one.slots[0] == slot)
        group = next(group for group in node.devices if group.chip == chip)
        by_chip[group.chip] += slot not in rest.shared
        there = rest.shared.get(slot, (WHOLE_DEVICE_MILLI, group.memory_mib))
        if milli > there[0] or memory_mib > max(0, there[1]):
            return True
    return (
        any(count > max(0, rest.free[chip]) for chip, count in by_chip.items())
        or sum(one.cpu_milli for one in asked) > max(0, rest.cpu_milli)
        or sum(one.memory_mib for one in asked) > max(0, rest.memory_mib)
        or sum(one.pods for one in asked) > max(0, rest.pods)
    )


def _suits(node: Node, cluster: Cluster, one: Allocation) -> bool:
    """Say whether a node of this cluster can give a rank such a thing at all."""
    if one.chip is None:
        return not one.devices and not one.share_milli
    own = node.slots(one.chip)
    return (
        bool(own)
        and all(slot in own for slot in one.slots)
        and not (one.slots and not cluster.binds_devices)
        and not (one.counted and cluster.binds_devices)
        and not (one.share_milli and not cluster.enforces_shares)
    )
