"""Where output goes: data on stdout, talk on stderr; tables, JSON, YAML or names."""

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from textwrap import indent
from typing import Literal, TextIO

from medley.answers import Json
from medley.errors import MedleyError
from medley.screens.safe_text import printable
from medley.screens.tables import FittedTable, Table, fitted, hanging, plain_text, without

Format = Literal["table", "wide", "json", "yaml", "name"]
"""What the user chooses by -o. Commands see three of them, see `draw_as`."""
_ANY_WIDTH = 100_000
_YAML_WIDTH = 120


@dataclass(slots=True)
class _Drawing:
    """How tables and documents are drawn in this run of the command."""

    is_wide: bool = False
    is_yaml: bool = False


_drawing = _Drawing()


def draw_as(chosen: str) -> str:
    """Draw tables and documents from now on as the user chose; return what a command is to print.

    That is `table`, `json` or `name`: to a command a wide table is a table, and YAML is the API's JSON.
    """
    _drawing.is_wide, _drawing.is_yaml = chosen == "wide", chosen == "yaml"
    match chosen:
        case "wide":
            return "table"
        case "yaml":
            return "json"
    return chosen


def is_wide() -> bool:
    """Say whether tables are drawn with all there is."""
    return _drawing.is_wide


def say(text: str = "") -> None:
    """Print data."""
    print(text)


def talk(text: str) -> None:
    """Print what is not data: hints, and what is going on. Where nobody can be talked to, that is no fault."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(text, file=sys.stderr)


def tell_error(error: MedleyError, *, request_id: str | None = None) -> None:
    """Print what went wrong and what to do next."""
    talk(f"medley: {printable(error.what)}")
    if error.next_step:
        talk(f"  next: {printable(error.next_step)}")
    if request_id:
        talk(f"  request: {printable(request_id)}")


def print_json(data: object) -> None:
    """Print an answer of the API as it came, indented; or as YAML, where that was chosen."""
    say(_yaml(data) if _drawing.is_yaml else json.dumps(data, indent=2, ensure_ascii=False))


def print_json_items(items: Iterable[Json]) -> None:
    """Print a list as `print_json` prints an answer of the API, item by item: it may be longer than memory is large."""
    is_empty = True
    for item in items:
        if _drawing.is_yaml:
            say(f"items:\n{_yaml([item])}" if is_empty else _yaml([item]))
        else:
            print('{\n  "items": [\n' if is_empty else ",\n", end="")
            print(indent(json.dumps(item, indent=2, ensure_ascii=False), "    "), end="")
        is_empty = False
    if is_empty:
        print_json({"items": [], "next": None})
    else:
        say("next: null" if _drawing.is_yaml else '\n  ],\n  "next": null\n}')


def _yaml(data: object) -> str:
    import yaml  # noqa: PLC0415 - needed where it was chosen alone

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(data, Dumper=dumper, allow_unicode=True, sort_keys=False, width=_YAML_WIDTH)
    return str(text).removesuffix("\n")


def print_json_line(data: object) -> None:
    """Print one entry of a stream on one line; as YAML, a document of its own."""
    print(f"---\n{_yaml(data)}" if _drawing.is_yaml else json.dumps(data, ensure_ascii=False), flush=True)


def print_csv(columns: Sequence[str], items: Sequence[Json]) -> None:
    """Print a list as CSV (RFC 4180), with these columns of it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(items)
    print(text.getvalue(), end="")


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
    """Print a table; what to say of an empty one, and what a narrow window leaves out, is talk."""
    if not table.rows:
        talk(table.when_empty)
        return
    shown = _fitted(table, sys.stdout)
    say(shown.text)
    if shown.left_out:
        talk(f"(no room for {', '.join(shown.left_out)}: a wider window or a pipe shows all columns)")


def table_text(table: Table, stream: TextIO) -> str:
    """Return a table: in colour and fitted to the window where the stream is a terminal, else plain columns."""
    return _fitted(table, stream).text


def _fitted(table: Table, stream: TextIO) -> FittedTable:
    shown = table if _drawing.is_wide else without(table, *table.only_wide)
    if not is_terminal(stream):
        return FittedTable(plain_text(shown), ())
    return fitted(shown, _ANY_WIDTH if _drawing.is_wide else window_width(), has_colour=has_colour())


def has_colour() -> bool:
    """Say whether colours are wanted on a terminal."""
    return not os.environ.get("NO_COLOR")


def entry_text(start: str, text: str, stream: TextIO) -> str:
    """Return `start` and a sentence: on a terminal in lines below one another that fit, else in one line."""
    return "\n".join(hanging(start, text, window_width())) if is_terminal(stream) else start + text


def window_width() -> int:
    """Return how many cells a line of the window has."""
    return shutil.get_terminal_size().columns


def is_terminal(stream: TextIO) -> bool:
    """Say whether a stream is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
