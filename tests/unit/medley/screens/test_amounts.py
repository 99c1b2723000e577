from datetime import UTC, datetime

import pytest

from medley.screens.amounts import age, bar, counted, duration, memory, memory_of, moment

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
    assert [counted(number, "worker", "workers") for number in (0, 1, 2, 1024)] == [
        "0 workers",
        "1 worker",
        "2 workers",
        "1,024 workers",
    ]


def test_memory_is_said_in_the_unit_that_suits_it() -> None:
    amounts = (81_920, 1_536, 1_000, 64, 0, None)
    assert [memory(mib) for mib in amounts] == ["80 GiB", "1.5 GiB", "1000 MiB", "64 MiB", "0 GiB", "?"]


def test_a_share_of_memory_says_its_unit_once() -> None:
    found = [memory_of(held, 2_359_296) for held in (0, 512, 4_096)]
    assert found == ["0/2304 GiB", "512 MiB/2304 GiB", "4/2304 GiB"]
    assert memory_of(64, 512) == "64/512 MiB"


@pytest.mark.parametrize(
    ("part", "mark", "want"),
    [
        (0.0, None, "░" * 10),
        (0.26, None, "███░░░░░░░"),
        (7.0, None, "█" * 10),
        (-1.0, 0.5, "░░░░░│░░░░░"),
        (0.8, 1, "████████░░│"),
    ],
)
def test_a_bar_is_as_full_as_it_says_and_no_longer_than_it_is(part: float, mark: float | None, want: str) -> None:
    assert bar(part, mark=mark) == want
