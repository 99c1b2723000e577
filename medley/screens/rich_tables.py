"""Tables on a terminal. The only module that loads Rich."""

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from medley.screens.tables import Table

_COLOURS = {
    "queued": "yellow",
    "placed": "cyan",
    "starting": "cyan",
    "running": "bold green",
    "stopping": "yellow",
    "succeeded": "green",
    "failed": "bold red",
    "cancelled": "dim",
    "lost": "bold red",
    "drained": "yellow",
    "revoked": "dim",
}
_KEPT_WHOLE = frozenset({"NAME", "JOB", "ID", "STATE", "RANK", "DEVICES", "CHIP", "NODE", "AGE"})


def rich_text(table: Table) -> str:
    """Return a table fitted to the window: long texts wrap, names and states do not. NO_COLOR is respected."""
    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in table.columns:
        drawn.add_column(
            column,
            justify="right" if column in table.numbers else "left",
            no_wrap=column in _KEPT_WHOLE,
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*(_cell(table, column, text) for column, text in zip(table.columns, row, strict=True)))
    console = Console(force_terminal=True)
    with console.capture() as captured:
        console.print(drawn)
    return captured.get().rstrip("\n")


def _cell(table: Table, column: str, text: str) -> Text:
    """The column may still shrink where its cells must not wrap: so other columns keep their width."""
    if column in table.clipped:
        return Text(text, no_wrap=True, overflow="ellipsis")
    return Text(text, style=_COLOURS.get(text, ""))
