"""What processes share beside the database: hints and callers' allowances, over Redis where there is one."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.context import Check
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.rate_limits import InProcessRateLimits
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.ports.rate_limit import Rate
from scheduler.ports.wake_up import WakeUp
from scheduler.services.access.meter_requests import Meter
from scheduler.services.access.process_secrets import fingerprint
from scheduler.settings import Settings, SettingsError, rate

if TYPE_CHECKING:
    from scheduler.adapters.redis.link import RedisLink


@dataclass(frozen=True, slots=True)
class Sharing:
    """Hints and allowances, and the Redis they go over."""

    wake_up: WakeUp
    meter: Meter
    redis: "RedisLink | None"

    def checks(self) -> tuple[Check, ...]:
        """Say whether Redis answers, if there is one. Nothing needs it: hints come later, limits count per process."""
        if self.redis is None:
            return ()
        is_ok = self.redis.is_up and not self.redis.last_error
        words = "answers" if is_ok else f"{self.redis.last_error}; until it answers hints are late, limits per process"
        return (Check("redis", is_ok=is_ok, detail=words, is_required=False),)


def share(settings: Settings, secret: bytes, clock: SystemClock, resources: ExitStack) -> Sharing:
    """Return what this process shares. The names of what is kept in Redis follow from the secret: two do not meet.

    Raises SettingsError.
    """
    here, alone = InProcessWakeUp(), InProcessRateLimits(clock)
    limits = settings.limit_per_token, settings.limit_per_tenant, settings.limit_per_address
    per_token, per_tenant, per_address = map(_rate, limits)
    if settings.redis_url is None:
        return Sharing(here, Meter(alone, per_token, per_tenant, per_address), None)
    from scheduler.adapters.redis.link import BadRedisUrl, RedisLink  # noqa: PLC0415 - only where there is one
    from scheduler.adapters.redis.rate_limits import RedisRateLimits  # noqa: PLC0415 - as above
    from scheduler.adapters.redis.wake_up import RedisWakeUp  # noqa: PLC0415 - as above

    try:
        link = RedisLink(settings.redis_url, f"medley:{fingerprint(secret)[:12]}", clock)
    except BadRedisUrl as error:
        raise SettingsError(f"redis_url: {error}") from error
    resources.callback(link.close)
    wake_up = RedisWakeUp(link, here, clock.monotonic_s)
    resources.callback(wake_up.close)
    return Sharing(wake_up, Meter(RedisRateLimits(link, alone), per_token, per_tenant, per_address), link)


def _rate(limit: str) -> Rate | None:
    found = rate(limit)
    return None if found is None else Rate(*found)
