"""Reading logs from where the reader stopped."""

import pytest

from scheduler.services.read_logs import BadCursor, LogCursor


def test_a_cursor_survives_its_text() -> None:
    cursor = LogCursor(3, {0: 17, 12: 0})
    assert LogCursor.decode(cursor.encode()) == cursor


def test_a_cursor_without_ranks_survives_its_text() -> None:
    assert LogCursor.decode(LogCursor(1, {}).encode()) == LogCursor(1, {})


@pytest.mark.parametrize("text", ["", "x", "1.", "1.0", "1.0:x", "1.0:1.", "-1", "٣", "9" * 30, "1.0:1\n"])
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        LogCursor.decode(text)
