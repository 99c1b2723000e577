from datetime import UTC, datetime

import pytest

from medley.screens.waiting.starts import start_text

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("earliest", "latest", "basis", "said"),
    [
        ("12:12:00", "13:05:00", "learnt", "starts in 12 min to 1 h (learnt)"),
        ("12:12:00", "12:12:40", "limits", "starts in about 12 min (limits)"),
        ("11:00:00", "12:00:30", "guessed", "starts in 0 s to 30 s (guessed)"),
        ("12:00:00", "12:00:00", "free", ""),
    ],
)
def test_a_start_is_said_in_a_few_words(earliest: str, latest: str, basis: str, said: str) -> None:
    starts = {"earliest": f"2026-01-01T{earliest}Z", "latest": f"2026-01-01T{latest}Z", "basis": basis}
    assert start_text(starts, NOON) == said


def test_where_nobody_knows_nothing_is_said() -> None:
    assert start_text(None, NOON) == ""
