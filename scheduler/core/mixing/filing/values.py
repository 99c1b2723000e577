"""Frozen dataclasses as JSON values, there and back, and the JSON schema that such values keep to."""

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

Json = dict[str, Any]
_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
_SCHEMA_NAMES = {int: "integer", float: "number", bool: "boolean", str: "string"}


class BadValue(ValueError):
    """A JSON value is not what it must be."""

    def __init__(self, pointer: str, what: str) -> None:
        """`pointer` is a JSON pointer to the value, empty for all of it."""
        super().__init__(f"{pointer or 'the file'} {what}")
        self.pointer = pointer
        self.what = what


def written(value: object) -> Any:
    """Return a value as JSON: objects for dataclasses, lists for tuples, texts for enumerations."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: written(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [written(one) for one in value]
    return value


def read(kind: Any, value: object, pointer: str = "") -> Any:
    """Return a JSON value as what it must be: a dataclass, an enumeration, a tuple or a plain value.

    Raises BadValue, which points at the first thing that is wrong.
    """
    options = _options(kind)
    if value is None and type(None) in options:
        return None
    inner = next(one for one in options if one is not type(None))
    if is_dataclass(inner):
        return _read_object(inner, value, pointer)
    if get_origin(inner) is tuple:
        if not isinstance(value, list):
            raise BadValue(pointer, "must be a list")
        item = get_args(inner)[0]
        return tuple(read(item, one, f"{pointer}/{place}") for place, one in enumerate(value))
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return _read_choice(inner, value, pointer)
    return _read_plain(inner, value, pointer)


def _read_object(kind: Any, value: object, pointer: str) -> Any:
    if not isinstance(value, Mapping):
        raise BadValue(pointer, "must be an object")
    hints = _hints_of(kind)
    unknown = sorted(value.keys() - hints.keys())
    if unknown:
        raise BadValue(f"{pointer}/{unknown[0]}", "is not known")
    found = {}
    for each in fields(kind):
        if each.name in value:
            found[each.name] = read(hints[each.name], value[each.name], f"{pointer}/{each.name}")
        elif _is_needed(each):
            raise BadValue(f"{pointer}/{each.name}", "is missing")
    return kind(**found)


def _read_choice(kind: type[StrEnum], value: object, pointer: str) -> StrEnum:
    if value not in list(kind):
        raise BadValue(pointer, f"must be one of {', '.join(kind)}")
    return kind(str(value))


def _read_plain(kind: Any, value: object, pointer: str) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and is_number and isinstance(value, int | float):
        if not math.isfinite(value):
            raise BadValue(pointer, "must be a finite number")
        return float(value)
    if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    raise BadValue(pointer, f"must be {_NAMES[kind]}")


def schema_of(kind: Any) -> Json:
    """Return the JSON schema (2020-12) of a type's values. Objects have their class's docstring as description."""
    options = _options(kind)
    inner = next(one for one in options if one is not type(None))
    found = _schema_of_one(inner)
    return {"anyOf": [found, {"type": "null"}]} if len(options) > 1 else found


def _schema_of_one(kind: Any) -> Json:
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return {
            "type": "object",
            "title": getattr(kind, "__name__", ""),
            "description": kind.__doc__ or "",
            "properties": {each.name: schema_of(hints[each.name]) for each in fields(kind)},
            "required": [each.name for each in fields(kind)],
            "additionalProperties": False,
        }
    if get_origin(kind) is tuple:
        return {"type": "array", "items": schema_of(get_args(kind)[0])}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"type": "string", "enum": [one.value for one in kind]}
    return {"type": _SCHEMA_NAMES[kind]}


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


@cache
def _hints_of(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _is_needed(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING
