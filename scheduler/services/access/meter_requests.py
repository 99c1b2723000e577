"""What a request takes out of the budgets of whoever makes it."""

from collections.abc import Iterator
from dataclasses import dataclass

from scheduler.core.model.tenant import Principal
from scheduler.ports.rate_limit import Budget, Charge, Rate, RateLimits

OF_TOKEN = "token"  # noqa: S105 - a budget's name
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
        """Take `cost` units out of the caller's budgets, or nothing where one of them has not so much."""
        return self.limits.charge(tuple(self._budgets(caller)), cost)

    def _budgets(self, caller: Principal) -> Iterator[Budget]:
        if self.per_token is not None:
            yield Budget(OF_TOKEN, caller.token_id, self.per_token)
        if self.per_tenant is not None and caller.tenant is not None:
            yield Budget(OF_TENANT, caller.tenant, self.per_tenant)
