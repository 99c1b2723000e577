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
        drawn.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    console = Console(force_terminal=True)
    with console.capture() as captured:
        console.print(drawn)
    return captured.get().rstrip("\n")
