"""Whether a tenant may hold what it asks for."""

from collections.abc import Mapping, Sequence

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.reason import QuotaExceeded

Limits = Mapping[tuple[TenantName, ChipName], int]
"""The most devices a tenant may hold of a chip type at once; an absent entry is no limit."""


def over_quota(
    ledger: Ledger, limits: Limits, *, tenant: TenantName, devices: Sequence[tuple[ChipName, int]]
) -> tuple[QuotaExceeded, ...]:
    """Return one reason for every chip type on which the asked devices, with those held now, pass the quota.

    A chip type may be named more than once; its devices are added up.
    """
    asked: dict[ChipName, int] = {}
    for chip, count in devices:
        asked[chip] = asked.get(chip, 0) + count
    reasons = []
    for chip, count in asked.items():
        limit = limits.get((tenant, chip))
        used = ledger.tenant_devices(tenant, chip)
        if limit is not None and used + count > limit:
            reasons.append(QuotaExceeded(tenant, chip, limit=limit, used=used, asked=count))
    return tuple(reasons)
