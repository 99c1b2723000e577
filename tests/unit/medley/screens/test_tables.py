import io
import re

import pytest

from medley.screens.output import printable, table_text
from medley.screens.tables import Table, plain_text


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
    long = Table(("NAME", "WHY THERE"), [("first", "word " * 40)])
    assert table_text(long, io.StringIO()) == plain_text(long)
    fitted = table_text(long, _Terminal())
    assert len(fitted.splitlines()) > 4
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in fitted.splitlines()) <= 60


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


def test_a_text_from_elsewhere_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2Kb\r\x9bc\x00") == "a�[2Kb��c�"
    assert printable("ä 北 \t ok") == "ä 北 \t ok"
