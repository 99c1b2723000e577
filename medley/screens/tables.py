"""A table as a value, and its plain form for pipes."""

from collections.abc import Sequence
from dataclasses import dataclass

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings. Every row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    when_empty: str = "nothing to show"
    numbers: tuple[str, ...] = ()
    """Columns that are aligned to the right."""
    clipped: tuple[str, ...] = ()
    """Columns that a narrow terminal cuts off rather than wraps."""


def plain_text(table: Table) -> str:
    """Return aligned columns without colour; one line per row, whatever is in its cells."""
    lines = [table.columns, *([" ".join(cell.split()) or "-" for cell in row] for row in table.rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(table.columns))]
    return "\n".join(_line(table, line, widths) for line in lines)


def _line(table: Table, cells: Sequence[str], widths: Sequence[int]) -> str:
    columns = zip(table.columns, cells, widths, strict=True)
    padded = (cell.rjust(width) if column in table.numbers else cell.ljust(width) for column, cell, width in columns)
    return _GAP.join(padded).rstrip()
