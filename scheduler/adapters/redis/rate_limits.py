"""Allowances that all processes share, charged by one script on the server."""

from collections.abc import Sequence
from typing import cast

from redis import Redis

from scheduler.adapters.redis.link import RedisAway, RedisLink
from scheduler.ports.rate_limit import Allowance, Charge, RateLimits, balance

_SECOND = 1_000_000

_SCRIPT = """
-- KEYS: one per allowance; each holds the microsecond of this server's clock at which the allowance is full again.
-- ARGV: per allowance its window and what the charge takes of it, both in microseconds of refilling.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer, after, wait = {}, {}, 0
for i = 1, #KEYS do
  local window = tonumber(ARGV[2 * i - 1])
  local full = tonumber(redis.call('GET', KEYS[i]) or now) or now
  local missing = math.min(math.max(full - now, 0), window)
  answer[i + 1] = missing
  after[i] = missing + tonumber(ARGV[2 * i])
  wait = math.max(wait, after[i] - window)
end
answer[1] = wait
if wait > 0 then
  return answer
end
for i = 1, #KEYS do
  answer[i + 1] = after[i]
  redis.call('SET', KEYS[i], string.format('%.0f', now + after[i]), 'PX', math.ceil(after[i] / 1000) + 1)
end
return answer
"""


class RedisRateLimits:
    """Fulfils ports.rate_limit.RateLimits for all processes on one Redis.

    Where Redis is away each process keeps allowances by itself, in `alone`, which has heard of all that it granted
    before: nobody is refused for that, and nobody's allowance is suddenly full. Redis wiped means all allowances full.
    """

    def __init__(self, link: RedisLink, alone: RateLimits) -> None:
        self._link = link
        self._alone = alone
        self._script = Redis().register_script(_SCRIPT)  # asks nobody: only its hash is made

    def charge(self, allowances: Sequence[Allowance], cost: int) -> Charge:
        """Spend `cost` units of each allowance, or nothing where one of them has not so much."""
        try:
            wait, *missing = self._link.call(lambda redis: self._ask(redis, allowances, cost))
        except RedisAway:
            return self._alone.charge(allowances, cost)
        if wait <= 0:
            self._alone.charge(allowances, cost)
        balances = (balance(allowance, each / _SECOND) for allowance, each in zip(allowances, missing, strict=True))
        return Charge(is_granted=wait <= 0, wait_s=max(wait, 0) / _SECOND, balances=tuple(balances))

    def _ask(self, redis: Redis, allowances: Sequence[Allowance], cost: int) -> list[int]:
        # The braces keep what one call charges on one node of a Redis cluster.
        keys = [self._link.name("{allowances}", allowance.name, allowance.key) for allowance in allowances]
        arguments: list[int] = []
        for allowance in allowances:
            window = allowance.rate.window_s * _SECOND
            arguments += [window, min(cost, allowance.rate.units) * window // allowance.rate.units]
        return cast("list[int]", self._script(keys=keys, args=arguments, client=redis))
