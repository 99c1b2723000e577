"""What nodes have left and queues may still hold: guarded counters, taken whole or not at all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update

from scheduler.adapters.database.failures import LostRace
from scheduler.adapters.database.queues.quota_use import QuotaUse, return_use
from scheduler.adapters.database.reads.amounts import Purse, Resource, purses_of, resources_of
from scheduler.adapters.database.reads.listed import LISTED, in_chunks, rows_listed
from scheduler.adapters.database.reads.rows import allocation_of
from scheduler.adapters.database.schema.fleet import DEVICES_MILLI, clusters, node_resources, nodes
from scheduler.adapters.database.schema.work import HELD, allocations
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.adapters.database.writes.slots import Slots, free_slots
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, NodeId, TenantName
from scheduler.core.model.node import TAKES_WORK
from scheduler.core.model.sharing.queue import QueueName
from scheduler.ports.journal import Rejected, Rejection

_WILLING_NODES = (
    select(nodes.c.id, nodes.c.tenant, clusters.c.binds_devices, clusters.c.enforces_shares)
    .join(clusters, clusters.c.name == nodes.c.cluster)
    .where(nodes.c.id.in_(LISTED), nodes.c.state.in_(sorted(TAKES_WORK)))
    .order_by(nodes.c.id)
    .with_for_update(read=True, of=nodes)
)
_COUNTERS = (
    select(node_resources)
    .where(node_resources.c.node_id.in_(LISTED))
    .order_by(node_resources.c.node_id, node_resources.c.resource)
    .with_for_update()
)
_HELD = select(allocations).where(allocations.c.attempt_id.in_(LISTED), HELD)
_GIVE_BACK = update(allocations).where(allocations.c.attempt_id.in_(LISTED), HELD).values(held=False)
_GIVE_BACK_ONE = (
    update(allocations)
    .where(allocations.c.attempt_id == bindparam("of_attempt"), allocations.c.rank == bindparam("of_rank"), HELD)
    .where(allocations.c.generation == bindparam("of_generation"))
    .values(held=False, given_at=bindparam("at"))
)
_TAKE_RESOURCE = (
    update(node_resources)
    .where(node_resources.c.node_id == bindparam("of_node"), node_resources.c.resource == bindparam("of_resource"))
    .where(node_resources.c.used + bindparam("amount") <= node_resources.c.allocatable)
    .where(node_resources.c.used + bindparam("amount") >= 0)
    .values(used=node_resources.c.used + bindparam("amount"))
)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Who may have what of a node that takes work."""

    tenant: TenantName | None
    binds_devices: bool
    enforces_shares: bool

    def refusal(self, rank: Allocation, tenant: TenantName) -> str | None:
        """Return why the node does not take a rank, whatever is free; None where it does."""
        if self.tenant not in (None, tenant):
            return f"{rank.node} is kept for {self.tenant}"
        if rank.chip is None and (rank.slots or rank.counted):
            return f"rank {rank.rank} asks for devices of no chip type"
        if rank.slots and not self.binds_devices:
            return f"{rank.node} is in a cluster that picks the devices itself: they are counted, and not shared"
        if rank.counted and self.binds_devices:
            return f"{rank.node} is in a cluster that binds devices: they are named by their slots"
        if rank.share_milli and not (self.enforces_shares and len(rank.slots) == 1):
            return f"{rank.node} gives a share of one device, where its cluster enforces that"
        return None


class Capacity:
    """What some nodes have free and some queues may hold: read and locked once, taken in memory, written once."""

    def __init__(self, transaction: Transaction, *, node_ids: Iterable[NodeId], queues: Iterable[QueueName]) -> None:
        self._transaction = transaction
        self._taken: Counter[Resource] = Counter()
        ids = sorted(set(node_ids))
        connection = transaction.connection
        self._rules: dict[NodeId, _Rules] = {
            row.id: _Rules(row.tenant, row.binds_devices, row.enforces_shares)
            for row in rows_listed(connection, _WILLING_NODES, ids)
        }
        self._free: dict[Resource, int] = {
            (row.node_id, row.resource): row.allocatable - row.used for row in rows_listed(connection, _COUNTERS, ids)
        }
        self._slots = Slots(transaction, ids)
        self._quota_use = QuotaUse(transaction, sorted(set(queues)))

    def take(
        self, tenant: TenantName, queue: QueueName, attempt: AttemptId, ranks: Sequence[Allocation]
    ) -> Rejected | None:
        """Take what all ranks of a queue's job ask for; where anything of it is missing, take nothing and say what."""
        missing = self._unwilling(tenant, ranks) or self._slots.missing(ranks) or self._missing(ranks)
        if missing is not None:
            return Rejected(Rejection.NO_CAPACITY, missing)
        asked = purses_of(queue, ranks)
        above = self._quota_use.missing(asked)
        if above is not None:
            return Rejected(Rejection.OVER_QUOTA, above)
        wanted = resources_of(ranks)
        for resource, amount in wanted.items():
            self._free[resource] -= amount
        self._taken.update(wanted)
        self._slots.take(attempt, ranks)
        self._quota_use.take(asked)
        return None

    def save(self) -> None:
        """Write what was taken, guarded once more by the database itself. Raises LostRace."""
        self._transaction.execute_guarded(_TAKE_RESOURCE, _resource_rows(self._taken))
        self._slots.save()
        self._quota_use.save()

    def _unwilling(self, tenant: TenantName, ranks: Sequence[Allocation]) -> str | None:
        for rank in ranks:
            rules = self._rules.get(rank.node)
            refusal = rules.refusal(rank, tenant) if rules is not None else f"{rank.node} takes no new work"
            if refusal is not None:
                return refusal
        return None

    def _missing(self, ranks: Sequence[Allocation]) -> str | None:
        # What others use of a node's devices is counted without slots: a device that is shared now cannot be one of
        # theirs, so that what the sharers leave of it is not free for anybody else.
        rests = {(node, DEVICES_MILLI + chip): rest for (node, chip), rest in self._slots.rests_after(ranks).items()}
        for (node, resource), amount in resources_of(ranks).items():
            free = self._free.get((node, resource), 0) - rests.get((node, resource), 0)
            if amount > free:
                return f"{node} has {max(free, 0)} {resource} free, {amount} are asked"
        return None


def release(transaction: Transaction, holders: dict[AttemptId, QueueName]) -> None:
    """Give back all that these attempts hold, each of a queue. Raises LostRace."""
    rows = rows_listed(transaction.connection, _HELD, holders)
    held = sorted(((row.attempt_id, allocation_of(row)) for row in rows), key=lambda each: (each[0], each[1].rank))
    _return(transaction, holders, held)
    given_back = sum(
        transaction.connection.execute(_GIVE_BACK, {LISTED.key: chunk}).rowcount for chunk in in_chunks(holders)
    )
    if given_back != len(held):
        raise LostRace(f"{given_back} allocations were given back, {len(held)} were held")


def release_surplus(
    transaction: Transaction, attempt: AttemptId, queue: QueueName, *, generation: int, at: datetime
) -> bool:
    """Give back what an attempt holds for workers that are too many; say whether there was any. Raises LostRace."""
    rows = [row for row in rows_listed(transaction.connection, _HELD, [attempt]) if row.generation < generation]
    held = sorted(((attempt, allocation_of(row)) for row in rows), key=lambda each: each[1].rank)
    _return(transaction, {attempt: queue}, held)
    keys = [{"of_attempt": attempt, "of_generation": row.generation, "of_rank": row.rank, "at": at} for row in rows]
    transaction.execute_guarded(_GIVE_BACK_ONE, keys)
    return bool(held)


def _return(
    transaction: Transaction, holders: dict[AttemptId, TenantName], held: Sequence[tuple[AttemptId, Allocation]]
) -> None:
    """Take what is held off the counters of nodes and tenants, and free its slots. Raises LostRace."""
    returned = resources_of(rank for _, rank in held)
    transaction.execute_guarded(_TAKE_RESOURCE, [row | {"amount": -row["amount"]} for row in _resource_rows(returned)])
    free_slots(transaction, held)
    ranks_of: dict[QueueName, list[Allocation]] = defaultdict(list)
    for attempt, rank in held:
        ranks_of[holders[attempt]].append(rank)
    purses: Counter[Purse] = Counter()
    for queue, ranks in ranks_of.items():
        purses.update(purses_of(queue, ranks))
    return_use(transaction, purses)


def _resource_rows(amounts: Counter[Resource]) -> list[Row]:
    """In the order of the rows' keys, so that two transactions never wait for each other crosswise."""
    return [
        {"of_node": node, "of_resource": resource, "amount": amount}
        for (node, resource), amount in sorted(amounts.items())
    ]
