"""Small readers of one value of an operator's file. Each raises FileError, marked at the line."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from scheduler.adapters.files.marked_yaml import Marked, suggest
from scheduler.adapters.kubernetes.configuration.grammar import Form

Value = TypeVar("Value")

Readers = Mapping[str, tuple[str, Callable[[Marked], Any]]]
"""By key of the file: the field of the value that is made, and what reads it."""

_SHOWN = 80
_LONGEST_TEXT = 4096


def gather(entry: Marked, readers: Readers, *, required: Collection[str] = ()) -> dict[str, Any]:
    """Return what stands in a mapping that may have these keys and no others; what is left out is not in it."""
    fields = entry.fields(required=required, optional=[key for key in readers if key not in required])
    return {field: read(fields[key]) for key, (field, read) in readers.items() if key in fields}


def whole_number(*, least: int, most: int) -> Callable[[Marked], int]:
    """Return the reader of a whole number within bounds."""
    return lambda entry: entry.whole_number(least=least, most=most)


def text_of(form: Form) -> Callable[[Marked], str]:
    """Return the reader of text of a form."""
    return lambda entry: name(entry, form)


def name(entry: Marked, form: Form) -> str:
    """Return text of a form."""
    return checked(entry, entry.text(), form)


def checked(entry: Marked, text: str, form: Form) -> str:
    """Return text, of this entry or its key, that has a form."""
    if not form.matches(text):
        raise entry.error(f"{text[:_SHOWN]!r} cannot stand here", what_to_do=f"use {form.rule}")
    return text


def names(entry: Marked, form: Form, *, most: int) -> tuple[str, ...]:
    """Return a list of names, none twice."""
    return listed(entry, lambda item: name(item, form), most=most)


def listed(entry: Marked, read: Callable[[Marked], Value], *, most: int) -> tuple[Value, ...]:
    """Return a list's items, none twice."""
    items = entry.items()
    if len(items) > most:
        raise entry.error(f"{len(items):,} items are too many", what_to_do=f"keep at most {most:,}")
    found: list[Value] = []
    for item in items:
        value = read(item)
        if value in found:
            raise item.error("this stands here twice", what_to_do="keep one")
        found.append(value)
    return tuple(found)


def named(
    entry: Marked, form: Form, read: Callable[[str, Marked], Value], *, most: int
) -> tuple[tuple[str, Value], ...]:
    """Return a mapping's entries, in the order of the file; each key has a form."""
    entries = entry.entries()
    if len(entries) > most:
        raise entry.error(f"{len(entries):,} entries are too many", what_to_do=f"keep at most {most:,}")
    return tuple((key, read(checked(value, key, form), value)) for key, value in entries.items())


def values_of(entry: Marked, form: Form, read: Callable[[str, Marked], Value], *, most: int) -> tuple[Value, ...]:
    """Return what a mapping's entries stand for, where it holds the name itself."""
    return tuple(value for _, value in named(entry, form, read, most=most))


def one_of(entry: Marked, known: Collection[str]) -> str:
    """Return one of the known words."""
    text = entry.text()
    if text not in known:
        raise entry.error(f"unknown: {text[:_SHOWN]!r}", what_to_do=suggest(text[:_SHOWN], known))
    return text


def flag(entry: Marked) -> bool:
    """Return true or false."""
    if not isinstance(entry.value, bool):
        raise entry.error("here stands neither true nor false", what_to_do="write one of the two, without quotes")
    return entry.value


def plain_text(entry: Marked) -> str:
    """Return text of printable characters."""
    text = entry.text()
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        rule = f"use at most {_LONGEST_TEXT:,} printable characters in one line"
        raise entry.error(f"{text[:_SHOWN]!r} cannot stand here", what_to_do=rule)
    return text
