"""What requests take out of allowances, as clients see it: the RateLimit headers, and 429 with a time to come back.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10. An allowance refills evenly: `q` is its size, `w` the
seconds in which an empty one is full again, `r` what is left, and `t` the seconds until it is full.
"""

import math
from collections.abc import Mapping, Sequence

from starlette.requests import Request

from api.context import ApiContext
from api.costs import JOBS_PER_UNIT, UNIT
from api.problems import Code, Problem, Refusal
from scheduler.core.model.tenant import Principal
from scheduler.ports.rate_limit import Balance, Charge
from scheduler.services.access.meter_requests import OF_ADDRESS, OF_TENANT, OF_TOKEN

_OWNERS = {
    OF_TOKEN: "this token",
    OF_TENANT: "all tokens of your tenant together",
    OF_ADDRESS: "who comes from your address without a valid token",
}


def spend(request: Request, context: ApiContext, caller: Principal, cost: int) -> None:
    """Charge a request. Raises Refusal where an allowance has not so much. It may ask Redis: not for async.

    A route calls it again for what it costs beyond its entry in `api.costs`, before it does anything.
    """
    charge = context.meter.charge(caller, cost)
    request.state.rate_headers = rate_headers(charge.balances)
    if not charge.is_granted:
        raise Refusal(_too_many(charge, cost))


def spend_for_jobs(request: Request, context: ApiContext, caller: Principal, jobs: int) -> None:
    """Charge what many jobs cost beyond one request. Raises Refusal. It may ask Redis: not for async."""
    if more := -(-jobs // JOBS_PER_UNIT) - UNIT:
        spend(request, context, caller, more)


def spend_as_stranger(request: Request, context: ApiContext, cost: int) -> None:
    """Charge the address of who is not known. Raises Refusal where it has not so much left. It may ask Redis."""
    charge = context.meter.charge_stranger(request.client.host if request.client else "", cost)
    if not charge.is_granted:
        raise Refusal(_too_many(charge, cost))


def rate_headers(balances: Sequence[Balance]) -> Mapping[str, str]:
    """Return the headers that tell a client its allowances; none where it has none."""
    if not balances:
        return {}
    limits = (f'"{each.allowance.name}";r={each.remaining};t={math.ceil(each.full_in_s)}' for each in balances)
    rates = ((each.allowance.name, each.allowance.rate) for each in balances)
    policies = (f'"{name}";q={rate.units};w={rate.window_s}' for name, rate in rates)
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}


def _too_many(charge: Charge, cost: int) -> Problem:
    scarce = min(charge.balances, key=lambda each: each.remaining - min(cost, each.allowance.rate.units))
    rate = scarce.allowance.rate
    owner = _OWNERS.get(scarce.allowance.name, scarce.allowance.name)
    units = "1 unit" if cost == 1 else f"{cost} units"
    wait_s = math.ceil(charge.wait_s)
    return Problem(
        Code.TOO_MANY_REQUESTS,
        f"This request costs {units}, and {owner} may spend {rate.units} in {rate.window_s} s: {scarce.remaining} are"
        " left. Nothing was done.",
        f"send it again after {wait_s} s (Retry-After), and then more slowly: the header RateLimit says what is left;"
        " to watch jobs, read one event stream instead of asking again and again",
        headers={"Retry-After": str(wait_s)},
    )
