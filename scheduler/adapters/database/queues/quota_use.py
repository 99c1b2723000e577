"""What queues hold of each chip type, in thousandths of devices, and what their quotas let them hold."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, cast, func, select, update

from scheduler.adapters.database.queues.reading import read_chip_groups, read_held, read_paths
from scheduler.adapters.database.reads.amounts import Purse
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.columns import Number
from scheduler.adapters.database.schema.sharing import queue_quotas, queue_usage
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import QueueName, QueueQuota
from scheduler.core.queueing.quota import QuotaBook, over_quota
from scheduler.core.queueing.tree import QueueTree

_NO_LIMIT = 2**62

_QUOTAS = (
    select(queue_quotas)
    .where(queue_quotas.c.queue.in_(LISTED))
    .order_by(queue_quotas.c.queue, queue_quotas.c.resource)
    .with_for_update(read=True)
)
_LIMIT = (
    select(cast(queue_quotas.c.limit, Number) * WHOLE_DEVICE_MILLI)
    .where(queue_quotas.c.queue == queue_usage.c.queue, queue_quotas.c.resource == queue_usage.c.chip)
    .scalar_subquery()
)
_OF_PURSE = (queue_usage.c.queue == bindparam("of_queue"), queue_usage.c.chip == bindparam("of_chip"))
_USE = (
    update(queue_usage)
    .where(*_OF_PURSE)
    .where(queue_usage.c.devices_milli + bindparam("amount") <= func.coalesce(_LIMIT, cast(_NO_LIMIT, Number)))
    .values(devices_milli=queue_usage.c.devices_milli + bindparam("amount"))
)
_RETURN = (
    update(queue_usage)
    .where(*_OF_PURSE)
    .where(queue_usage.c.devices_milli >= bindparam("amount"))
    .values(devices_milli=queue_usage.c.devices_milli - bindparam("amount"))
)


class _Held:
    """What queues hold with all that is in them."""

    def __init__(self, held: Mapping[QueueName, Mapping[ChipName, int]]) -> None:
        self._held = {queue: Counter(chips) for queue, chips in held.items()}

    def held_by(self, queue: QueueName) -> Mapping[ChipName, int]:
        """Return it of one queue."""
        return self._held.get(queue, {})

    def take(self, queue: QueueName, devices_milli: Mapping[ChipName, int]) -> None:
        """Let a queue hold more."""
        self._held.setdefault(queue, Counter()).update(devices_milli)


class QuotaUse:
    """What some queues may still hold; what was taken here is written by `save`."""

    def __init__(self, transaction: Transaction, names: Sequence[QueueName]) -> None:
        self._transaction = transaction
        connection = transaction.connection
        tree = QueueTree(read_paths(connection, names))
        rows = rows_listed(connection, _QUOTAS, sorted(tree.queues))
        quotas = [quota for quota in (QueueQuota(**row._asdict()) for row in rows) if quota.most is not None]
        groups = read_chip_groups(connection) if quotas else []
        self._book = QuotaBook(tree, quotas, groups)
        self._held = _Held(read_held(connection, {quota.queue for quota in quotas}))
        self._taken: Counter[Purse] = Counter()

    def missing(self, asked: Counter[Purse]) -> str | None:
        """Return why so much cannot be held; None where it can."""
        for queue, devices_milli in _by_queue(asked).items():
            over = over_quota(
                self._book,
                self._held,
                queue=queue,
                devices_milli=tuple(devices_milli.items()),
                free=lambda _: _NO_LIMIT,  # what others keep back is the deciding leader's to know
            )
            for one in over:
                return f"{one.queue} may hold {one.limit} {one.resource}, {one.used} are held and {one.asked} asked"
        return None

    def take(self, asked: Counter[Purse]) -> None:
        """Take what is not missing."""
        for queue, devices_milli in _by_queue(asked).items():
            for name in self._book.path(queue):
                self._held.take(name, devices_milli)
        self._taken.update(asked)

    def save(self) -> None:
        """Write what was taken, guarded once more by the database itself. Raises LostRace."""
        fresh = [{"queue": queue, "chip": chip, "devices_milli": 0} for queue, chip in sorted(self._taken)]
        self._transaction.insert_missing(queue_usage, fresh)
        self._transaction.execute_guarded(_USE, _rows(self._taken))


def return_use(transaction: Transaction, held: Counter[Purse]) -> None:
    """Take so much off what queues hold. Raises LostRace."""
    transaction.execute_guarded(_RETURN, _rows(held))


def _by_queue(amounts: Counter[Purse]) -> dict[QueueName, dict[ChipName, int]]:
    by_queue: dict[QueueName, dict[ChipName, int]] = defaultdict(dict)
    for (queue, chip), amount in amounts.items():
        by_queue[queue][chip] = amount
    return by_queue


def _rows(amounts: Counter[Purse]) -> list[Row]:
    """In the order of the rows' keys, so that two transactions never wait for each other crosswise."""
    return [{"of_queue": queue, "of_chip": chip, "amount": amount} for (queue, chip), amount in sorted(amounts.items())]
