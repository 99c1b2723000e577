from datetime import UTC, datetime

import pytest

from medley.errors import BadUsage
from medley.following.spans import beginning

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (None, None),
        ("90min", "2026-11-21T10:30:00Z"),
        ("12h", "2026-11-21T00:00:00Z"),
        ("7d", "2026-11-14T12:00:00Z"),
        ("2w", "2026-11-07T12:00:00Z"),
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T08:00", "2026-11-01T08:00:00Z"),
        ("2026-11-01T08:00:00+02:00", "2026-11-01T06:00:00Z"),
    ],
)
def test_a_day_a_time_or_a_span_names_a_moment(text: str | None, meant: str | None) -> None:
    assert beginning(text, NOON) == meant


@pytest.mark.parametrize(
    "text", ["", "yesterday", "7", "7 d", "-1d", "999999w", "2026-13-01", "0001-01-01T00:00+14:00"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadUsage, match="no time and no span"):
        beginning(text, NOON)
