from datetime import UTC, datetime

import pytest

from medley.screens.amounts import age, counted, duration, gibibytes, moment

AT = datetime(2026, 1, 1, 0, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3_605, "1 h 5 s"),
        (180_000, "2 d 2 h"),
        (-3, "0 s"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, want: str) -> None:
    assert duration(seconds) == want


def test_a_moment_is_said_both_ways() -> None:
    assert moment("2026-01-01T00:07:00.123456Z", AT) == "2 min 59 s ago (2026-01-01T00:07:00Z)"
    assert moment("2026-01-01T00:11:00Z", AT) == "in 1 min (2026-01-01T00:11:00Z)"
    assert moment(None, AT) == "-"


def test_what_has_no_time_has_no_age() -> None:
    assert age(None, AT) == ""
    assert age("2026-01-01T00:00:00Z", AT) == "10 min"


def test_one_is_not_many() -> None:
    assert [counted(number, "worker") for number in (0, 1, 2, 1024)] == [
        "0 workers",
        "1 worker",
        "2 workers",
        "1,024 workers",
    ]


def test_memory_is_said_in_gibibytes_or_not_known() -> None:
    assert [gibibytes(mib) for mib in (81_920, 1_536, None)] == ["80 GiB", "1.5 GiB", "?"]
