from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from api.schemas.text import Moment, PlainText

PLAIN = TypeAdapter[str](PlainText)


@pytest.mark.parametrize("text", ["Ascend 910B", "摩尔线程 S4000", "Größe", "a/b-c_d.e (f)"])
def test_visible_text_of_any_script_is_plain(text: str) -> None:
    assert PLAIN.validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    ["", " a", "a ", "a\u0000b", "a\nb", "a\tb", "a\u202eb", "a\u2066b", "a\u200bb", "a\u200fb", "\ud800", "x" * 64],
)
def test_text_with_something_hidden_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        PLAIN.validate_python(text)


def test_times_are_written_in_utc_to_the_microsecond() -> None:
    moment = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=1)))
    adapter = TypeAdapter[datetime](Moment)
    assert adapter.dump_json(moment) == b'"2026-01-01T00:00:00.000000Z"'
    assert adapter.dump_json(datetime(2026, 1, 1, tzinfo=UTC)) == b'"2026-01-01T00:00:00.000000Z"'
