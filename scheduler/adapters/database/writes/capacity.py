"""What nodes have left and tenants may still hold: guarded counters, taken whole or not at all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, func, select, update

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.rows import allocation_of
from scheduler.adapters.database.schema.fleet import (
    CPU_MILLI,
    DEVICES_MILLI,
    MEMORY_MIB,
    PODS,
    device_slots,
    node_resources,
    nodes,
)
from scheduler.adapters.database.schema.people import quota_usage, quotas
from scheduler.adapters.database.schema.work import allocations, attempts
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, ChipName, NodeId, TenantName
from scheduler.core.model.node import NodeState
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.journal import Rejected, Rejection

Resource = tuple[NodeId, str]
Slot = tuple[NodeId, int]
Purse = tuple[TenantName, ChipName]

_NO_LIMIT = 2**31 - 1

_READY_NODES = (
    select(nodes.c.id)
    .where(nodes.c.id.in_(LISTED), nodes.c.state == NodeState.READY)
    .order_by(nodes.c.id)
    .with_for_update(read=True)
)
_COUNTERS = (
    select(node_resources)
    .where(node_resources.c.node_id.in_(LISTED))
    .order_by(node_resources.c.node_id, node_resources.c.resource)
    .with_for_update()
)
_FREE_SLOTS = select(device_slots).where(device_slots.c.node_id.in_(LISTED), device_slots.c.used_milli == 0)
_QUOTAS = (
    select(quotas.c.tenant, quotas.c.chip, quotas.c.devices, quota_usage.c.devices.label("used"))
    .outerjoin(quota_usage, (quota_usage.c.tenant == quotas.c.tenant) & (quota_usage.c.chip == quotas.c.chip))
    .where(quotas.c.tenant.in_(LISTED))
)
_HELD = (
    select(allocations)
    .join(attempts, (attempts.c.id == allocations.c.attempt_id) & (attempts.c.generation == allocations.c.generation))
    .where(allocations.c.attempt_id.in_(LISTED))
)
_TAKE_RESOURCE = (
    update(node_resources)
    .where(node_resources.c.node_id == bindparam("of_node"), node_resources.c.resource == bindparam("of_resource"))
    .where(node_resources.c.used + bindparam("amount") <= node_resources.c.allocatable)
    .where(node_resources.c.used + bindparam("amount") >= 0)
    .values(used=node_resources.c.used + bindparam("amount"))
)
_TAKE_SLOT = (
    update(device_slots)
    .where(device_slots.c.node_id == bindparam("of_node"), device_slots.c.slot == bindparam("of_slot"))
    .where(device_slots.c.chip == bindparam("of_chip"), device_slots.c.used_milli == 0)
    .values(used_milli=WHOLE_DEVICE_MILLI, holder_attempt=bindparam("attempt"))
)
_FREE_SLOT = (
    update(device_slots)
    .where(device_slots.c.node_id == bindparam("of_node"), device_slots.c.slot == bindparam("of_slot"))
    .where(device_slots.c.holder_attempt == bindparam("attempt"))
    .values(used_milli=0, holder_attempt=None)
)
_LIMIT = (
    select(quotas.c.devices)
    .where(quotas.c.tenant == quota_usage.c.tenant, quotas.c.chip == quota_usage.c.chip)
    .scalar_subquery()
)
_USE_QUOTA = (
    update(quota_usage)
    .where(quota_usage.c.tenant == bindparam("of_tenant"), quota_usage.c.chip == bindparam("of_chip"))
    .where(quota_usage.c.devices + bindparam("amount") <= func.coalesce(_LIMIT, _NO_LIMIT))
    .values(devices=quota_usage.c.devices + bindparam("amount"))
)
_RETURN_QUOTA = (
    update(quota_usage)
    .where(quota_usage.c.tenant == bindparam("of_tenant"), quota_usage.c.chip == bindparam("of_chip"))
    .where(quota_usage.c.devices >= bindparam("amount"))
    .values(devices=quota_usage.c.devices - bindparam("amount"))
)


class Capacity:
    """What some nodes have free and some tenants may hold: read and locked once, taken in memory, written once."""

    def __init__(self, transaction: Transaction, *, node_ids: Iterable[NodeId], tenants: Iterable[TenantName]) -> None:
        self._transaction = transaction
        self._ready: set[NodeId] = set()
        self._free: dict[Resource, int] = {}
        self._free_slots: dict[Slot, ChipName] = {}
        self._allowed: dict[Purse, int] = {}
        self._taken: Counter[Resource] = Counter()
        self._used: Counter[Purse] = Counter()
        self._slots: list[tuple[AttemptId, Allocation]] = []
        self._load_nodes(sorted(set(node_ids)))
        self._load_quotas(sorted(set(tenants)))

    def take(self, tenant: TenantName, attempt: AttemptId, ranks: Sequence[Allocation]) -> Rejected | None:
        """Take what all ranks ask for; where anything of it is not there, take nothing and say what."""
        wanted = _resources(ranks)
        devices: Counter[Purse] = Counter()
        for rank in ranks:
            devices[tenant, rank.chip] += len(rank.slots)
        refusal = self._missing(wanted, ranks) or self._over_quota(devices)
        if refusal is not None:
            return refusal
        for resource, amount in wanted.items():
            self._free[resource] -= amount
        for slot in _slots(ranks):
            del self._free_slots[slot]
        for purse, count in devices.items():
            if purse in self._allowed:
                self._allowed[purse] -= count
        self._taken.update(wanted)
        self._used.update(devices)
        self._slots += [(attempt, rank) for rank in ranks]
        return None

    def save(self) -> None:
        """Write what was taken, guarded once more by the database itself. Raises LostRace."""
        guarded = self._transaction.execute_guarded
        guarded(_TAKE_RESOURCE, _resource_rows(self._taken))
        guarded(
            _TAKE_SLOT,
            (
                {"of_node": rank.node, "of_slot": slot, "of_chip": rank.chip, "attempt": attempt}
                for attempt, rank in self._slots
                for slot in rank.slots
            ),
        )
        purses = sorted(self._used.items())
        self._transaction.insert_missing(
            quota_usage, [{"tenant": tenant, "chip": chip, "devices": 0} for (tenant, chip), _ in purses]
        )
        guarded(_USE_QUOTA, ({"of_tenant": own, "of_chip": chip, "amount": count} for (own, chip), count in purses))

    def _missing(self, wanted: Counter[Resource], ranks: Sequence[Allocation]) -> Rejected | None:
        for rank in ranks:
            if rank.node not in self._ready:
                return Rejected(Rejection.NO_CAPACITY, f"{rank.node} takes no new work")
        for (node, resource), amount in wanted.items():
            free = self._free.get((node, resource), 0)
            if amount > free:
                return Rejected(Rejection.NO_CAPACITY, f"{node} has {free} {resource} free, {amount} are asked")
        asked = _slots(ranks)
        for (node, slot), chip in asked.items():
            if self._free_slots.get((node, slot)) != chip:
                return Rejected(Rejection.NO_CAPACITY, f"slot {slot} of {node} is no free {chip}")
        if len(asked) != sum(len(rank.slots) for rank in ranks):
            return Rejected(Rejection.NO_CAPACITY, "one device slot is asked twice")
        return None

    def _over_quota(self, devices: Counter[Purse]) -> Rejected | None:
        for (tenant, chip), count in devices.items():
            allowed = self._allowed.get((tenant, chip), _NO_LIMIT)
            if count > allowed:
                return Rejected(Rejection.OVER_QUOTA, f"{tenant} may hold {max(allowed, 0)} more {chip}, {count} asked")
        return None

    def _load_nodes(self, ids: list[NodeId]) -> None:
        connection = self._transaction.connection
        self._ready.update(row.id for row in rows_listed(connection, _READY_NODES, ids))
        for row in rows_listed(connection, _COUNTERS, ids):
            self._free[row.node_id, row.resource] = row.allocatable - row.used
        for row in rows_listed(connection, _FREE_SLOTS, ids):
            self._free_slots[row.node_id, row.slot] = row.chip

    def _load_quotas(self, names: list[TenantName]) -> None:
        for row in rows_listed(self._transaction.connection, _QUOTAS, names):
            self._allowed[row.tenant, row.chip] = row.devices - (row.used or 0)


def release(transaction: Transaction, holders: dict[AttemptId, TenantName]) -> None:
    """Give back all that these attempts hold, each of a tenant. Raises LostRace."""
    held = _held(transaction, holders)
    returned: Counter[Resource] = Counter()
    devices: Counter[Purse] = Counter()
    slots = []
    for attempt, ranks in sorted(held.items()):
        returned.update(_resources(ranks))
        for rank in ranks:
            devices[holders[attempt], rank.chip] += len(rank.slots)
            slots += [{"of_node": rank.node, "of_slot": slot, "attempt": attempt} for slot in rank.slots]
    transaction.execute_guarded(_TAKE_RESOURCE, [row | {"amount": -row["amount"]} for row in _resource_rows(returned)])
    transaction.execute_guarded(_FREE_SLOT, slots)
    transaction.execute_guarded(
        _RETURN_QUOTA,
        ({"of_tenant": own, "of_chip": chip, "amount": count} for (own, chip), count in sorted(devices.items())),
    )


def _held(transaction: Transaction, holders: Iterable[AttemptId]) -> dict[AttemptId, list[Allocation]]:
    held: dict[AttemptId, list[Allocation]] = defaultdict(list)
    for row in rows_listed(transaction.connection, _HELD, holders):
        held[row.attempt_id].append(allocation_of(row))
    return held


def _resources(ranks: Iterable[Allocation]) -> Counter[Resource]:
    """Return what ranks hold of each resource of each node."""
    amounts: Counter[Resource] = Counter()
    for rank in ranks:
        amounts[rank.node, CPU_MILLI] += rank.cpu_milli
        amounts[rank.node, MEMORY_MIB] += rank.memory_mib
        amounts[rank.node, PODS] += 1
        amounts[rank.node, DEVICES_MILLI + rank.chip] += rank.devices_milli
    return amounts


def _slots(ranks: Iterable[Allocation]) -> dict[Slot, ChipName]:
    return {(rank.node, slot): rank.chip for rank in ranks for slot in rank.slots}


def _resource_rows(amounts: Counter[Resource]) -> list[Row]:
    """In the order of the rows' keys, so that two transactions never wait for each other crosswise."""
    return [
        {"of_node": node, "of_resource": resource, "amount": amount}
        for (node, resource), amount in sorted(amounts.items())
    ]
