"""Use of a day that has passed, for charts to show, and of two weeks before, that shares of queues rest on."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scheduler.adapters.database.storage import open_storage
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.records.usage import PoolSum, TenantSum, UsagePeriod

MINUTE_MS = 60_000
FIRST_EPOCH = 1
POOLS = {
    "a800-sxm-80": 32,
    "ascend-910b2": 32,
    "ascend-910b3": 32,
    "h100-sxm": 32,
    "metax-c500": 56,
    "metax-c500-pcie": 4,
    "mi300x": 64,
    "mlu370-x8": 16,
    "mlu590": 32,
}
"""What the demo's cluster has."""
HELD_NOW = {"a800-sxm-80": 1, "ascend-910b3": 6, "h100-sxm": 16, "mi300x": 24, "mlu370-x8": 4}
"""What the scene's jobs hold: the day ends with it."""
HELD_BEFORE = (("vision", "h100-sxm", 9), ("language", "mi300x", 12), ("search", "a800-sxm-80", 28))
"""What tenants held for two weeks before that day: search more than the third that it is due, the others less."""
DAYS_BEFORE = range(15, 1, -1)
DAY_MS = 24 * 60 * MINUTE_MS
EVENING_MINUTES = 90
"""So long before now the day begins to turn into what is held now."""


def remember_the_past(data_folder: Path) -> None:
    """Give a server use to show, such as a team has: it began a moment ago itself. Shares know it after a restart."""
    database = f"sqlite:///{(data_folder / 'medley.db').resolve()}"
    storage = open_storage(database, InProcessWakeUp(), brings_schema=False)
    try:
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        for days_ago in DAYS_BEFORE:
            storage.usage.record(a_day(now - timedelta(days=days_ago)), epoch=FIRST_EPOCH)
        for minutes_ago in remembered_minutes():
            at = now - timedelta(minutes=minutes_ago)
            storage.usage.record(a_minute(at, minutes_ago), epoch=FIRST_EPOCH)
    finally:
        storage.close()


def remembered_minutes() -> Iterator[int]:
    """Yield how long ago the minutes were that are remembered: all of the last hours, and before that each tenth.

    Each is a transaction beside those of a server, which may not wait for them so long that it loses its lead.
    """
    yield from range(24 * 60, EVENING_MINUTES, -10)
    yield from range(EVENING_MINUTES, 0, -1)


def a_day(at: datetime) -> UsagePeriod:
    """Return what was held during a day before the one that is shown."""
    unit = WHOLE_DEVICE_MILLI * DAY_MS
    pools = [PoolSum("mixed", chip, devices * unit, devices * unit) for chip, devices in POOLS.items()]
    held = [
        TenantSum("mixed", chip, tenant, devices * unit, devices * unit, 0) for tenant, chip, devices in HELD_BEFORE
    ]
    return UsagePeriod(at, DAY_MS, pools, held)


def a_minute(at: datetime, minutes_ago: int) -> UsagePeriod:
    """Return what might have been held at a time of day: most of it in the afternoon, a part of it idle."""
    hour = at.hour + at.minute / 60
    by_day = max(0.0, math.sin((hour - 6) / 24 * 2 * math.pi))
    unit = WHOLE_DEVICE_MILLI * MINUTE_MS
    by_now = max(0.0, 1 - minutes_ago / EVENING_MINUTES)
    pools, tenants = [], []
    for place, (chip, devices) in enumerate(POOLS.items()):
        pools.append(PoolSum("mixed", chip, devices * unit, devices * unit))
        usual = devices * (0.25 + 0.55 * by_day + 0.1 * math.sin(hour * (place + 1)))
        held = round((1 - by_now) * usual + by_now * HELD_NOW.get(chip, 0))
        tenant = ("vision", "language", "search")[place % 3]
        tenants.append(TenantSum("mixed", chip, tenant, held * unit, round(held * 0.82) * unit, 0))
    return UsagePeriod(at, MINUTE_MS, pools, tenants)
