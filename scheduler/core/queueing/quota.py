"""Whether a tenant may hold what it asks for."""

from collections.abc import Mapping, Sequence

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.reason import QuotaExceeded
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

Limits = Mapping[tuple[TenantName, ChipName], int]
"""The most devices a tenant may hold of a chip type at once; an absent entry is no limit."""


def over_quota(
    ledger: Ledger, limits: Limits, *, tenant: TenantName, devices_milli: Sequence[tuple[ChipName, int]]
) -> tuple[QuotaExceeded, ...]:
    """Return one reason for every chip type on which the asked devices, with those held now, pass the quota.

    What is asked is in thousandths of devices, each chip type once.
    """
    reasons: tuple[QuotaExceeded, ...] = ()
    for chip, asked in devices_milli:
        limit = limits.get((tenant, chip))
        if limit is None:
            continue
        used = ledger.tenant_devices_milli(tenant, chip)
        if used + asked > limit * WHOLE_DEVICE_MILLI:
            reason = QuotaExceeded(tenant, chip, limit=limit, used=_whole(used), asked=_whole(asked))
            reasons = (*reasons, reason)
    return reasons


def _whole(devices_milli: int) -> int:
    return -(-devices_milli // WHOLE_DEVICE_MILLI)
