"""Writing what queues may have, and the groups of chip types that it counts."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import delete, func, select

from scheduler.adapters.database.queues.reading import lock_queues, read_chip_groups, read_quotas
from scheduler.adapters.database.reads.rows import chip_of
from scheduler.adapters.database.schema.fleet import DEVICES_MILLI, chip_types, node_resources, nodes
from scheduler.adapters.database.schema.sharing import chip_group_chips, chip_groups, queue_quotas
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.core.model.access.audit import Act
from scheduler.core.model.change import ChipGroupRemoved, ChipGroupSet, QueueQuotaLifted, QueueQuotaSet
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.node import NodeState
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import COMPUTE, ChipGroup, QueueName, QueueQuota, ResourceName, check_quota
from scheduler.core.model.tenant import Quota
from scheduler.core.queueing.dues.compute import rates_of
from scheduler.core.queueing.quota import QuotaBook, check_guarantees
from scheduler.core.queueing.tree import QueueTree
from scheduler.ports.directory import AlreadyExists, DoesNotExist, InUse
from scheduler.ports.journal import Guard, unguarded

_CAPACITY = (
    select(node_resources.c.resource, func.sum(node_resources.c.allocatable).label("devices_milli"))
    .join(nodes, nodes.c.id == node_resources.c.node_id)
    .where(node_resources.c.resource.startswith(DEVICES_MILLI), nodes.c.state != NodeState.GONE)
    .group_by(node_resources.c.resource)
)


def set_quota(transaction: Transaction, quota: QueueQuota, at: datetime, guard: Guard = unguarded) -> None:
    """Write a quota; without effect where it is so already.

    Raises DoesNotExist (queue, resource), ContradictoryQuota, and what the guard does.
    """
    tree = _lock_tree(transaction, quota.queue)
    _require_resource(transaction, quota.resource)
    quotas = {(one.queue, one.resource): one for one in read_quotas(transaction.connection)}
    present = quotas.get((quota.queue, quota.resource))
    guard(present)
    check_quota(quota)
    if present == quota:
        return
    others = [one for one in quotas.values() if one.resource == quota.resource and one != present]
    is_more = quota.guaranteed > (present.guaranteed if present is not None else 0)
    check_resource(transaction, tree, [*others, quota], has_room=not is_more)
    tenant = tree.queues[quota.queue].tenant
    transaction.insert_or_replace(queue_quotas, [asdict(quota)])
    transaction.add(Draft(at, QueueQuotaSet(quota), tenant=tenant))
    before = None if present is None else asdict(present)
    transaction.audit(Act("quota", f"{quota.queue}/{quota.resource}", tenant, at, before, asdict(quota)))


def lift_quota(
    transaction: Transaction, purse: tuple[QueueName, ResourceName], at: datetime, guard: Guard = unguarded
) -> None:
    """Remove a quota. Raises DoesNotExist, and what the guard does."""
    queue, resource = purse
    tree = _lock_tree(transaction, queue)
    present = _quota(transaction, queue, resource)
    if present is None:
        raise DoesNotExist(f"{queue}/{resource}")
    guard(present)
    tenant = tree.queues[queue].tenant
    transaction.connection.execute(
        delete(queue_quotas).where(queue_quotas.c.queue == queue, queue_quotas.c.resource == resource)
    )
    transaction.add(Draft(at, QueueQuotaLifted(queue, resource), tenant=tenant))
    transaction.audit(Act("quota", f"{queue}/{resource}", tenant, at, asdict(present), None))


def set_limit(transaction: Transaction, quota: Quota, at: datetime, guard: Guard) -> None:
    """Write the limit of a tenant's own queue, whatever else it is due. Raises as `set_quota` does."""
    _lock_tree(transaction, quota.tenant)
    transaction.require(chip_types.c.name, quota.chip)
    present = _quota(transaction, quota.tenant, quota.chip)
    guard(None if present is None else limit_of(present))
    set_quota(transaction, replace(present or quota.as_limit, limit=quota.devices), at)


def lift_limit(transaction: Transaction, tenant: TenantName, chip: ChipName, at: datetime, *, guard: Guard) -> None:
    """Remove the limit of a tenant's own queue; what else it is due stays. Raises DoesNotExist, the guard's."""
    _lock_tree(transaction, tenant)
    present = _quota(transaction, tenant, chip)
    limit = None if present is None else limit_of(present)
    if present is None or limit is None:
        raise DoesNotExist(f"{tenant}/{chip}")
    guard(limit)
    left = replace(present, limit=None)
    if left == QueueQuota(tenant, chip):
        lift_quota(transaction, (tenant, chip), at)
    else:
        set_quota(transaction, left, at)


def limit_of(quota: QueueQuota) -> Quota | None:
    """Return the short form of a quota, None where it has no limit."""
    return None if quota.limit is None else Quota(quota.queue, quota.resource, quota.limit)


def set_chip_group(transaction: Transaction, group: ChipGroup, at: datetime, guard: Guard) -> None:
    """Write a group; without effect where it is so already. Raises DoesNotExist, AlreadyExists, what the guard does."""
    wanted = ChipGroup(group.name, tuple(sorted(set(group.chips))))
    present = _lock_groups(transaction).get(group.name)
    guard(present)
    if group.name == COMPUTE or transaction.has(chip_types.c.name, group.name):
        raise AlreadyExists(f"{group.name} counts something already")
    for chip in wanted.chips:
        transaction.require(chip_types.c.name, chip)
    if present == wanted:
        return
    _delete_group(transaction, group.name)
    transaction.insert(chip_groups, [{"name": group.name}])
    transaction.insert(chip_group_chips, [{"chip_group": group.name, "chip": chip} for chip in wanted.chips])
    transaction.add(Draft(at, ChipGroupSet(wanted)))
    before = None if present is None else asdict(present)
    transaction.audit(Act("chip-group", group.name, None, at, before, asdict(wanted)))


def remove_chip_group(transaction: Transaction, name: str, at: datetime, guard: Guard) -> None:
    """Remove a group that no quota counts. Raises DoesNotExist, InUse, and what the guard does."""
    present = _lock_groups(transaction).get(name)
    if present is None:
        raise DoesNotExist(name)
    guard(present)
    used = [quota.queue for quota in read_quotas(transaction.connection) if quota.resource == name]
    if used:
        raise InUse(f"queue {used[0]} has a quota of it")
    _delete_group(transaction, name)
    transaction.add(Draft(at, ChipGroupRemoved(name)))
    transaction.audit(Act("chip-group", name, None, at, asdict(present), None))


def check_resource(
    transaction: Transaction, tree: QueueTree, quotas: Sequence[QueueQuota], *, has_room: bool = False
) -> None:
    """Raise ContradictoryQuota where all quotas of one resource guarantee more than can be kept.

    `has_room`: no more is guaranteed than before, so that what there is of devices need not be looked at.
    """
    if quotas:
        check_guarantees(tree, quotas, capacity=None if has_room else _capacity(transaction, quotas[0].resource))


def _capacity(transaction: Transaction, resource: ResourceName) -> int | None:
    """Return how many units of a resource there are, of all nodes; None where no node is known yet."""
    connection = transaction.connection
    rows = {row.resource.removeprefix(DEVICES_MILLI): int(row.devices_milli) for row in connection.execute(_CAPACITY)}
    rates = rates_of(map(chip_of, connection.execute(select(chip_types))))
    weights = QuotaBook(groups=read_chip_groups(connection), rates=rates).worth(resource)
    units_milli = sum(milli * weights.get(chip, 0) for chip, milli in rows.items())
    return units_milli // WHOLE_DEVICE_MILLI if rows else None


def _lock_tree(transaction: Transaction, queue: QueueName) -> QueueTree:
    """Return the tree; nobody else writes any queue or quota until the commit. Raises DoesNotExist."""
    tree = QueueTree(lock_queues(transaction.connection).values())
    if queue not in tree.queues:
        raise DoesNotExist(queue)
    return tree


def _lock_groups(transaction: Transaction) -> dict[str, ChipGroup]:
    """Return the groups by name; nobody else writes any of them, or a quota that counts one, until the commit."""
    lock_queues(transaction.connection)
    return {group.name: group for group in read_chip_groups(transaction.connection)}


def _delete_group(transaction: Transaction, name: str) -> None:
    transaction.connection.execute(delete(chip_group_chips).where(chip_group_chips.c.chip_group == name))
    transaction.connection.execute(delete(chip_groups).where(chip_groups.c.name == name))


def _quota(transaction: Transaction, queue: QueueName, resource: ResourceName) -> QueueQuota | None:
    asked = select(queue_quotas).where(queue_quotas.c.queue == queue, queue_quotas.c.resource == resource)
    row = transaction.connection.execute(asked).first()
    return None if row is None else QueueQuota(**row._asdict())


def _require_resource(transaction: Transaction, resource: ResourceName) -> None:
    if resource != COMPUTE and not transaction.has(chip_types.c.name, resource):
        transaction.require(chip_groups.c.name, resource)
