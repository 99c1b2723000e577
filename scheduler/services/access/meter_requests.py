"""What a request takes out of the allowances of whoever makes it."""

from collections.abc import Iterator
from dataclasses import dataclass

from scheduler.core.model.tenant import Principal
from scheduler.ports.rate_limit import Allowance, Charge, Rate, RateLimits

OF_TOKEN = "token"  # noqa: S105 - an allowance's name
OF_TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Meter:
    """Knows how much everybody may ask for."""

    limits: RateLimits
    per_token: Rate | None
    """None where tokens are not limited by themselves."""
    per_tenant: Rate | None
    """Of all tokens of a tenant together; the cluster-wide roles belong to none."""

    def charge(self, caller: Principal, cost: int) -> Charge:
        """Take `cost` units out of the caller's allowances, or nothing where one of them has not so much."""
        return self.limits.charge(tuple(self._allowances(caller)), cost)

    def _allowances(self, caller: Principal) -> Iterator[Allowance]:
        if self.per_token is not None:
            yield Allowance(OF_TOKEN, caller.token_id, self.per_token)
        if self.per_tenant is not None and caller.tenant is not None:
            yield Allowance(OF_TENANT, caller.tenant, self.per_tenant)
