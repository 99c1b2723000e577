"""Where output goes: data on stdout, talk on stderr; tables, JSON or names."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, TextIO

from medley.errors import MedleyError
from medley.screens.tables import Table, plain_text

Json = dict[str, Any]
Format = Literal["table", "json", "name"]

_UNPRINTABLE = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\N{REPLACEMENT CHARACTER}")


def say(text: str = "") -> None:
    """Print data."""
    print(text)


def talk(text: str) -> None:
    """Print what is not data: hints, and what is going on."""
    print(text, file=sys.stderr)


def tell_error(error: MedleyError, *, request_id: str | None = None) -> None:
    """Print what went wrong and what to do next."""
    talk(f"medley: {error.what}")
    if error.next_step:
        talk(f"  next: {error.next_step}")
    if request_id:
        talk(f"  request: {request_id}")


def print_json(data: object) -> None:
    """Print an answer of the API as it came, indented."""
    say(json.dumps(data, indent=2, ensure_ascii=False))


def print_json_line(data: object) -> None:
    """Print one entry of a stream on one line."""
    print(json.dumps(data, ensure_ascii=False), flush=True)


def print_listing(
    output: Format, items: Sequence[Json], name: str | Callable[[Json], str], table: Callable[[], Table]
) -> None:
    """Print a list in the chosen format; `name` is the field, or makes the text, that names an item."""
    if output == "json":
        print_json({"items": list(items), "next": None})
    elif output == "name":
        for item in items:
            say(str(item[name] if isinstance(name, str) else name(item)))
    else:
        print_table(table())


def print_table(table: Table) -> None:
    """Print a table; what to say of an empty one is talk."""
    if table.rows:
        say(table_text(table, sys.stdout))
    else:
        talk(table.when_empty)


def table_text(table: Table, stream: TextIO) -> str:
    """Return a table: in colour and fitted to the window where the stream is a terminal, else plain columns."""
    if not is_terminal(stream):
        return plain_text(table)
    # Rich takes a tenth of a second to load; who pipes does not pay for it.
    from medley.screens.rich_tables import rich_text  # noqa: PLC0415

    return rich_text(table)


def is_terminal(stream: TextIO) -> bool:
    """Say whether a stream is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def printable(text: object) -> str:
    """Return a text from elsewhere without control characters, which could make a terminal lie; tabs and lines stay."""
    return str(text).translate(_UNPRINTABLE)
