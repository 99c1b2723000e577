"""A table as a value, its plain form for pipes, and its form that fits a window."""

import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

_GAP = "  "
_LEAST_FREE_TEXT = 20
"""A column of free text is narrowed to this many cells, no further."""
_WIDE = frozenset("WF")
_BOLD = "1"
_COLOURS = {
    "queued": "33",
    "placed": "36",
    "starting": "36",
    "running": "1;32",
    "stopping": "33",
    "succeeded": "32",
    "failed": "1;31",
    "cancelled": "2",
    "lost": "1;31",
    "drained": "33",
    "degraded": "33",
    "suspect": "1;31",
    "works": "32",
    "fails": "1;31",
    "revoked": "2",
}
"""Words that are coloured wherever they fill a cell."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings. Every row has as many cells as there are columns; the first column names the row."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    when_empty: str = "nothing to show"
    numbers: tuple[str, ...] = ()
    """Columns that are aligned to the right."""
    wrapped: tuple[str, ...] = ()
    """Columns of free text, that a narrow window wraps between words; all others are shown whole or not at all."""
    clipped: tuple[str, ...] = ()
    """Columns of free text, that a narrow window cuts off with an ellipsis."""
    spare: tuple[str, ...] = ()
    """Columns that a narrow window goes without, the least important first."""
    only_wide: tuple[str, ...] = ()
    """Columns for those who ask for all there is."""


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A table as it is printed in a window."""

    text: str
    left_out: tuple[str, ...]
    """Columns for which there was no room."""


def without(table: Table, *columns: str) -> Table:
    """Return a table without some of its columns."""
    kept = [place for place, column in enumerate(table.columns) if column not in columns]
    if len(kept) == len(table.columns):
        return table
    rows = [tuple(row[place] for place in kept) for row in table.rows]
    return replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows)


def plain_text(table: Table) -> str:
    """Return aligned columns without colour; one line per row, whatever is in its cells."""
    lines = [table.columns, *([_flat(cell) or "-" for cell in row] for row in table.rows)]
    longest = [max(map(_cells, cells)) for cells in zip(*lines, strict=True)]
    widths = dict(zip(table.columns, longest, strict=True))
    return "\n".join(_line(table, widths, line) for line in lines)


def fitted(table: Table, width: int, *, has_colour: bool) -> FittedTable:
    """Return a table that is at most `width` cells wide, with fewer columns where there is not room for all.

    Names, ids and amounts are never cut or wrapped. Where not even the columns that must be there fit beside each
    other, each row becomes a few lines of its own; a name longer than the window then is the window's to break.
    """
    rows = [dict(zip(table.columns, map(_flat, row), strict=True)) for row in table.rows]
    needed = {column: _needed(table, column, [row[column] for row in rows]) for column in table.columns}
    shown = [column for column in table.columns if column not in table.spare]
    for column in reversed(table.spare):
        if column in needed and _width([needed[name] for name in (*shown, column)]) <= width:
            shown.append(column)
    shown.sort(key=table.columns.index)
    paint = _painted if has_colour else _unpainted
    if _width([needed[column] for column in shown]) > width:
        lines = [line for row in rows for line in _card(row, shown, width)]
    else:
        spread = _spread(table, {column: needed[column] for column in shown}, rows, width)
        lines = [paint(_line(table, spread, shown), _BOLD)]
        for row in rows:
            lines += _row_lines(table, spread, row, paint)
    return FittedTable("\n".join(lines), tuple(column for column in table.columns if column not in shown))


def _needed(table: Table, column: str, texts: Sequence[str]) -> int:
    whole = max(_cells(text) for text in (column, *texts))
    if column in table.clipped:
        return min(whole, _LEAST_FREE_TEXT)
    if column in table.wrapped:
        longest_word = max(_cells(word) for text in (column, *texts) for word in text.split() or ("",))
        return max(min(whole, _LEAST_FREE_TEXT), longest_word)
    return whole


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _spread(table: Table, least: dict[str, int], rows: Sequence[dict[str, str]], width: int) -> dict[str, int]:
    """Return the width of each column: free text takes what is left, as much of it as it needs, left to right."""
    left = width - _width(list(least.values()))
    widths = dict(least)
    for column, needed in least.items():
        if column in table.wrapped + table.clipped:
            more = min(left, max(_cells(row[column]) for row in rows) - needed) if rows else 0
            widths[column] += max(0, more)
            left -= max(0, more)
    return widths


def _row_lines(
    table: Table, widths: dict[str, int], row: dict[str, str], paint: Callable[[str, str], str]
) -> Iterator[str]:
    cells = {column: _wrapped(table, column, row[column] or "-", width) for column, width in widths.items()}
    for number in range(max(len(lines) for lines in cells.values())):
        texts = [lines[number] if number < len(lines) else "" for lines in cells.values()]
        yield _line(table, widths, texts, paint)


def _wrapped(table: Table, column: str, text: str, width: int) -> list[str]:
    if column in table.wrapped:
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    if column in table.clipped and _cells(text) > width:
        return [f"{text[: width - 1].rstrip()}…"]
    return [text]


def _card(row: dict[str, str], shown: Sequence[str], width: int) -> Iterator[str]:
    """A row as lines: what names it, and below it each further column."""
    name, *others = shown
    yield row[name]
    head = max((len(column) for column in others), default=0)
    for column in others:
        yield from hanging(f"  {column:<{head}}{_GAP}", row[column] or "-", width)


def hanging(start: str, text: str, width: int) -> list[str]:
    """Return a text in lines of at most `width`, the later ones indented to where it begins; no word is cut."""
    below = " " * len(start)
    return textwrap.wrap(
        text,
        max(width, len(start) + _LEAST_FREE_TEXT),
        initial_indent=start,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [start.rstrip()]


def _line(
    table: Table, widths: dict[str, int], texts: Sequence[str], paint: Callable[[str, str], str] | None = None
) -> str:
    cells = []
    for (column, width), text in zip(widths.items(), texts, strict=True):
        fill = " " * (width - _cells(text))
        shown = paint(text, _COLOURS[text]) if paint and text in _COLOURS else text
        cells.append(fill + shown if column in table.numbers else shown + fill)
    return _GAP.join(cells).rstrip()


def _painted(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"


def _unpainted(text: str, _colour: str) -> str:
    return text


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in _WIDE)
        for character in text
    )
