"""Moments as people write them: a day, a time, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

from medley.errors import BadUsage

_AGO = re.compile(r"(\d{1,6})(min|[hdw])", re.ASCII)
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def beginning(text: str | None, at: datetime) -> str | None:
    """Return the moment that a text means, as the API takes it; None for none. Raises BadUsage.

    `7d` is seven days before `at`, `2026-11-01` is that day's beginning in UTC, and a time without a zone is in UTC.
    """
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    try:
        moment = at - int(ago[1]) * _UNITS[ago[2]] if ago else datetime.fromisoformat(text)
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        next_step = "write it as 2026-11-01, 2026-11-01T08:00:00Z, 90min, 12h, 7d or 4w"
        raise BadUsage(f"`{text}` is no time and no span of time", next_step=next_step) from None
