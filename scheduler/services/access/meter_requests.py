"""What a request takes out of the allowances of whoever makes it."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from scheduler.core.model.tenant import Principal
from scheduler.ports.rate_limit import Allowance, Charge, Rate, RateLimits

OF_TOKEN = "token"  # noqa: S105 - an allowance's name
OF_TENANT = "tenant"
OF_ADDRESS = "address"
SMALLEST_NETWORK = 64
"""Bits that all IPv6 addresses of one subscriber have alike."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Knows how much everybody may ask for."""

    limits: RateLimits
    per_token: Rate | None
    """None where tokens are not limited by themselves."""
    per_tenant: Rate | None
    """Of all tokens of a tenant together; the cluster-wide roles belong to none."""
    per_address: Rate | None
    """Of who is not known: logins that begin, and tokens that open nothing."""

    def charge(self, caller: Principal, cost: int) -> Charge:
        """Take `cost` units out of the caller's allowances, or nothing where one of them has not so much."""
        return self.limits.charge(tuple(self._allowances(caller)), cost)

    def charge_stranger(self, address: str, cost: int) -> Charge:
        """Take `cost` units out of what may come from an address without a token that opens anything.

        Whoever has a network of IPv6 addresses to try from has one allowance.
        """
        if self.per_address is None:
            return Charge(is_granted=True, wait_s=0, balances=())
        return self.limits.charge((Allowance(OF_ADDRESS, _origin(address), self.per_address),), cost)

    def _allowances(self, caller: Principal) -> Iterator[Allowance]:
        if self.per_token is not None:
            yield Allowance(OF_TOKEN, caller.token_id, self.per_token)
        if self.per_tenant is not None and caller.tenant is not None:
            yield Allowance(OF_TENANT, caller.tenant, self.per_tenant)


def _origin(address: str) -> str:
    """Return an address, or the network of the smallest size that IPv6 gives to anybody."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a socket's path
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, SMALLEST_NETWORK), strict=False))
    return address
