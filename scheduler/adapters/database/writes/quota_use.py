"""What tenants hold of each chip type, in thousandths of devices, and what their quotas let them hold."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import bindparam, cast, func, select, update

from scheduler.adapters.database.reads.amounts import Purse
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.columns import Number
from scheduler.adapters.database.schema.people import quota_usage, quotas
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

_NO_LIMIT = 2**62

_QUOTAS = (
    select(quotas.c.tenant, quotas.c.chip, quotas.c.devices, quota_usage.c.devices_milli.label("used"))
    .outerjoin(quota_usage, (quota_usage.c.tenant == quotas.c.tenant) & (quota_usage.c.chip == quotas.c.chip))
    .where(quotas.c.tenant.in_(LISTED))
)
_LIMIT = (
    select(cast(quotas.c.devices, Number) * WHOLE_DEVICE_MILLI)
    .where(quotas.c.tenant == quota_usage.c.tenant, quotas.c.chip == quota_usage.c.chip)
    .scalar_subquery()
)
_USE = (
    update(quota_usage)
    .where(quota_usage.c.tenant == bindparam("of_tenant"), quota_usage.c.chip == bindparam("of_chip"))
    .where(quota_usage.c.devices_milli + bindparam("amount") <= func.coalesce(_LIMIT, cast(_NO_LIMIT, Number)))
    .values(devices_milli=quota_usage.c.devices_milli + bindparam("amount"))
)
_RETURN = (
    update(quota_usage)
    .where(quota_usage.c.tenant == bindparam("of_tenant"), quota_usage.c.chip == bindparam("of_chip"))
    .where(quota_usage.c.devices_milli >= bindparam("amount"))
    .values(devices_milli=quota_usage.c.devices_milli - bindparam("amount"))
)


class QuotaUse:
    """What some tenants may still hold; what was taken here is written by `save`."""

    def __init__(self, transaction: Transaction, tenants: Sequence[TenantName]) -> None:
        self._transaction = transaction
        self._allowed: dict[Purse, int] = {
            (row.tenant, row.chip): row.devices * WHOLE_DEVICE_MILLI - (row.used or 0)
            for row in rows_listed(transaction.connection, _QUOTAS, tenants)
        }
        self._taken: Counter[Purse] = Counter()

    def missing(self, asked: Counter[Purse]) -> str | None:
        """Return why so much cannot be held; None where it can."""
        for (tenant, chip), amount in asked.items():
            allowed = max(self._allowed.get((tenant, chip), _NO_LIMIT), 0)
            if amount > allowed:
                return f"{tenant} may hold {allowed} thousandths of {chip} more, {amount} are asked"
        return None

    def take(self, asked: Counter[Purse]) -> None:
        """Take what is not missing."""
        for purse, amount in asked.items():
            if purse in self._allowed:
                self._allowed[purse] -= amount
        self._taken.update(asked)

    def save(self) -> None:
        """Write what was taken, guarded once more by the database itself. Raises LostRace."""
        fresh = [{"tenant": tenant, "chip": chip, "devices_milli": 0} for tenant, chip in sorted(self._taken)]
        self._transaction.insert_missing(quota_usage, fresh)
        self._transaction.execute_guarded(_USE, _rows(self._taken))


def return_use(transaction: Transaction, held: Counter[Purse]) -> None:
    """Take so much off what tenants hold. Raises LostRace."""
    transaction.execute_guarded(_RETURN, _rows(held))


def _rows(amounts: Counter[Purse]) -> list[Row]:
    """In the order of the rows' keys, so that two transactions never wait for each other crosswise."""
    return [
        {"of_tenant": tenant, "of_chip": chip, "amount": amount} for (tenant, chip), amount in sorted(amounts.items())
    ]
