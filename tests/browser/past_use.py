"""Use of a day that has passed, for charts to show."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scheduler.adapters.database.storage import open_storage
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.records.usage import PoolSum, TenantSum, UsagePeriod

MINUTE_MS = 60_000
FIRST_EPOCH = 1
POOLS = {"a800-sxm-80": 32, "ascend-910b2": 32, "ascend-910b3": 32, "h100-sxm": 32, "metax-c500": 56, "mi300x": 64}


def remember_a_day(data_folder: Path) -> None:
    """Give a server a day of use to show, such as a team's day has: it began a moment ago itself."""
    database = f"sqlite:///{(data_folder / 'medley.db').resolve()}"
    storage = open_storage(database, InProcessWakeUp(), brings_schema=False)
    try:
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        for minutes_ago in range(24 * 60, 0, -1):
            at = now - timedelta(minutes=minutes_ago)
            storage.usage.record(a_minute(at), epoch=FIRST_EPOCH)
    finally:
        storage.close()


def a_minute(at: datetime) -> UsagePeriod:
    """Return what might have been held at a time of day: most of it in the afternoon, a part of it idle."""
    hour = at.hour + at.minute / 60
    by_day = max(0.0, math.sin((hour - 6) / 24 * 2 * math.pi))
    unit = WHOLE_DEVICE_MILLI * MINUTE_MS
    pools, tenants = [], []
    for place, (chip, devices) in enumerate(POOLS.items()):
        pools.append(PoolSum("mixed", chip, devices * unit, devices * unit))
        held = round(devices * (0.25 + 0.55 * by_day + 0.1 * math.sin(hour * (place + 1))))
        tenant = ("vision", "language", "search")[place % 3]
        tenants.append(TenantSum("mixed", chip, tenant, held * unit, round(held * 0.82) * unit, 0))
    return UsagePeriod(at, MINUTE_MS, pools, tenants)
