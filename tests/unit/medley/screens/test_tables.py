import io
import re

import pytest

from medley.screens.output import table_text
from medley.screens.tables import Table, fitted, plain_text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


TABLE = Table(
    ("NAME", "STATE", "WORKERS"), [("first", "running", "4"), ("another", "failed", "128")], numbers=("WORKERS",)
)


def test_plain_columns_are_aligned_and_have_no_trailing_space() -> None:
    want = ["NAME     STATE    WORKERS", "first    running        4", "another  failed       128"]
    assert plain_text(TABLE).splitlines() == want


def test_a_row_stays_one_line_whatever_is_in_it() -> None:
    table = Table(("NAME", "WHY"), [("a", "two\nlines\tand a tab"), ("b", "")])
    assert plain_text(table).splitlines()[1:] == ["a     two lines and a tab", "b     -"]


def test_a_pipe_gets_plain_columns_and_a_terminal_fitted_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    long = Table(("NAME", "WHY THERE"), [("first", "word " * 40)], wrapped=("WHY THERE",))
    assert table_text(long, io.StringIO()) == plain_text(long)
    shown = table_text(long, _Terminal())
    assert len(shown.splitlines()) > 4
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in shown.splitlines()) <= 60


def test_what_may_be_clipped_keeps_a_row_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    table = Table(("NAME", "HOW"), [("first", "word " * 40)], clipped=("HOW",))
    last = table_text(table, _Terminal()).splitlines()[-1]
    assert "first" in last
    assert "…" in last


def test_no_color_turns_colour_off_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colour.search(table_text(TABLE, _Terminal()))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.search(table_text(TABLE, _Terminal()))


WIDE = Table(
    ("NAME", "ID", "CHIPS", "AGE"),
    [("a-long-name-of-a-job", "01jd3v9k2m0a7b4c", "2 h100-sxm + 2 mi300x", "3 min")],
    spare=("CHIPS", "AGE"),
)


@pytest.mark.parametrize(
    ("width", "want"), [(80, ()), (67, ("CHIPS",)), (60, ("CHIPS",)), (44, ("CHIPS", "AGE")), (38, ("CHIPS", "AGE"))]
)
def test_a_narrow_window_goes_without_the_least_important_columns_first(width: int, want: tuple[str, ...]) -> None:
    shown = fitted(WIDE, width, has_colour=False)
    assert shown.left_out == want
    assert len(shown.text.splitlines()) == 2
    assert max(map(len, shown.text.splitlines())) <= width


def test_a_row_that_cannot_fit_becomes_lines_of_its_own_and_nothing_is_cut() -> None:
    want = ["a-long-name-of-a-job", "  ID  01jd3v9k2m0a7b4c"]
    assert fitted(WIDE, 30, has_colour=False).text.splitlines() == want
    assert fitted(WIDE, 10, has_colour=False).text.splitlines() == want


def test_wide_letters_take_two_cells() -> None:
    table = Table(("VENDOR", "X"), [("北京芯片", "a"), ("b", "c")])
    assert plain_text(table).splitlines() == ["VENDOR    X", "北京芯片  a", "b         c"]


def test_free_text_is_wrapped_between_words_only() -> None:
    name = "a-tenant-with-a-name-of-many-letters"
    table = Table(("NODE", "HELD BY"), [("a", f"demo 2, {name} 4, other 1")], wrapped=("HELD BY",), spare=("HELD BY",))
    assert f"      {name} 4," in fitted(table, 45, has_colour=False).text.splitlines()
    assert fitted(table, 30, has_colour=False).left_out == ("HELD BY",)
