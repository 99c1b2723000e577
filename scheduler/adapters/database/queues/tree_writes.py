"""Writing queues. All of them are locked first, so that what is checked of the tree still holds at the commit."""

from datetime import datetime

from sqlalchemy import delete, func, select

from scheduler.adapters.database.queues.quota_writes import check_resource
from scheduler.adapters.database.queues.reading import lock_queues, read_quotas
from scheduler.adapters.database.schema.people import tenants
from scheduler.adapters.database.schema.sharing import queue_quotas, queue_usage, queues
from scheduler.adapters.database.schema.work import LIVE, jobs
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.core.model.access.audit import Act
from scheduler.core.model.change import QueueRemoved, QueueSet
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.sharing.queue import Queue, QueueName
from scheduler.core.queueing.tree import QueueTree
from scheduler.ports.directory import AlreadyExists, DoesNotExist, InUse
from scheduler.ports.journal import Guard

MOST_TOLD = 3


def add_own_queue(transaction: Transaction, tenant: TenantName, at: datetime) -> None:
    """Write the queue of a new tenant. Raises AlreadyExists where some queue has its name."""
    if transaction.has(queues.c.name, tenant):
        raise AlreadyExists(tenant)
    queue = Queue(tenant, tenant=tenant)
    transaction.insert(queues, [_row(queue)])
    transaction.add(Draft(at, QueueSet(queue), tenant=tenant))


def set_queue(transaction: Transaction, queue: Queue, at: datetime, guard: Guard) -> None:
    """Write a queue; without effect where it is so already. Raises as the port says."""
    present = lock_queues(transaction.connection)
    before = present.get(queue.name)
    guard(before)
    if queue.tenant is not None and not transaction.has(tenants.c.name, queue.tenant):
        raise DoesNotExist(queue.tenant)
    if before is not None and before.tenant != queue.tenant:
        whose = f"tenant {before.tenant}'s" if before.tenant else "no tenant's"
        raise AlreadyExists(f"queue {queue.name} is {whose}, and stays so")
    tree = QueueTree({**present, queue.name: queue}.values())
    if before == queue:
        return
    if before is not None and before.parent != queue.parent:
        quotas = read_quotas(transaction.connection)
        for resource in sorted({quota.resource for quota in quotas}):
            check_resource(transaction, tree, [quota for quota in quotas if quota.resource == resource])
    transaction.insert_or_replace(queues, [_row(queue)])
    transaction.add(Draft(at, QueueSet(queue), tenant=queue.tenant))
    told = None if before is None else _row(before)
    transaction.audit(Act("queue", queue.name, queue.tenant, at, told, _row(queue)))


def remove_queue(transaction: Transaction, name: QueueName, at: datetime, guard: Guard) -> None:
    """Remove a queue that nobody uses. Raises DoesNotExist, InUse, and what the guard does."""
    present = lock_queues(transaction.connection)
    queue = present.get(name)
    if queue is None:
        raise DoesNotExist(name)
    guard(queue)
    _refuse_used(transaction, queue, present)
    for table in (queue_quotas, queue_usage):
        transaction.connection.execute(delete(table).where(table.c.queue == name))
    transaction.connection.execute(delete(queues).where(queues.c.name == name))
    transaction.add(Draft(at, QueueRemoved(name), tenant=queue.tenant))
    transaction.audit(Act("queue", name, queue.tenant, at, _row(queue), None))


def _refuse_used(transaction: Transaction, queue: Queue, present: dict[QueueName, Queue]) -> None:
    if queue.name == queue.tenant:
        raise InUse(f"it is tenant {queue.tenant}'s own, and stays as long as there is the tenant")
    inner = [name for name, other in present.items() if other.parent == queue.name]
    if inner:
        more = f" and {len(inner) - MOST_TOLD} more" if len(inner) > MOST_TOLD else ""
        raise InUse(f"queues are in it: {', '.join(inner[:MOST_TOLD])}{more}")
    # whoever submits a job locks its tenant
    transaction.connection.execute(select(tenants.c.name).where(tenants.c.name == queue.tenant).with_for_update())
    live = select(func.count()).select_from(jobs).where(jobs.c.queue == queue.name, jobs.c.tenant == queue.tenant, LIVE)
    if number := transaction.connection.execute(live).scalar_one():
        raise InUse(f"{number} of its jobs {'is' if number == 1 else 'are'} not over")


def _row(queue: Queue) -> Row:
    return {
        "name": queue.name,
        "parent": queue.parent,
        "tenant": queue.tenant,
        "weight": queue.weight,
        "most_waiting": queue.caps.most_waiting,
        "most_running": queue.caps.most_running,
        "most_running_per_user": queue.caps.most_running_per_user,
        "highest_priority": queue.caps.highest_priority,
    }
