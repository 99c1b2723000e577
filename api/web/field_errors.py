"""From validation errors to pointers that people and programs can follow."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.problems import FieldError
from api.schemas.text import FORMS
from api.text.words import nearest

MOST_ERRORS = 20
LONGEST_POINTER = 200
LONGEST_DETAIL = 300
_WORDS = {
    "extra_forbidden": "is not known here",
    "missing": "is needed",
    "finite_number": "must be a finite number",
    "too_short": "must have at least {min_length} {entries}",
    "too_long": "must have at most {max_length} {entries}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be one of: {expected}",
    "union_tag_not_found": "must be a name, or a list such as [a, b]",
    "literal_error": "must be one of: {expected}",
}
_TYPES = {
    "string_type": "text (in quotes)",
    "tuple_type": "a list, such as [a, b]",
    "list_type": "a list, such as [a, b]",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of names to values",
    "model_attributes_type": "a mapping of names to values",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "none_required": "null",
}
_UNITS = {"_s": " of seconds", "_mib": " of MiB", "_milli": " of thousandths"}


def field_errors(errors: Sequence[Mapping[str, Any]], body: object) -> tuple[FieldError, ...]:
    """Return what is wrong, at most 20 entries, each once. What was sent is not repeated in them."""
    by_pointer: dict[str, list[Mapping[str, Any]]] = {}
    for error in errors:
        by_pointer.setdefault(_pointer(error["loc"], body), []).append(error)
    found = [FieldError(pointer, detail) for pointer, here in by_pointer.items() for detail in _details(pointer, here)]
    return tuple(dict.fromkeys(found))[:MOST_ERRORS]


def _details(pointer: str, errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong in one place.

    A place that takes several forms gives an error for each: those of the form that was meant, if it shows, else one
    sentence that names all forms.
    """
    told = [error for error in errors if not _is_echo(error)]
    meant = [error for error in told if error["type"] not in _TYPES]
    if meant:
        return [_detail(error) for error in meant]
    forms = list(dict.fromkeys(_TYPES[error["type"]] for error in told))
    unit = next((unit for end, unit in _UNITS.items() if pointer.endswith(end)), "")
    return [f"must be {' or '.join(forms)}{unit}"[:LONGEST_DETAIL]] if forms else []


def _is_echo(error: Mapping[str, Any]) -> bool:
    """Say whether a list counts as too short only because an entry of it, with an error of its own, was left out."""
    sent = error.get("input")
    least = error.get("ctx", {}).get("min_length", 0)
    return error["type"] == "too_short" and isinstance(sent, Sequence | Mapping) and len(sent) >= least


def summary(errors: Sequence[FieldError]) -> str:
    """Return the first error as a sentence."""
    if not errors:
        return "The request is not valid."
    name = errors[0].pointer.removeprefix("/query/").removeprefix("/header/").lstrip("/") or "the body"
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{name}: {errors[0].detail}{more}"


def nearest_field(errors: Iterable[Mapping[str, Any]], route: object) -> str | None:
    """Return a hint where a field or parameter is unknown: one of a similar name, or all there are."""
    for error in errors:
        source, *path = error["loc"]
        if error["type"] != "extra_forbidden" or not path:
            continue
        model = _model_of(route, source)
        for step in path[:-1]:
            model = model if isinstance(step, int) else _model_in(model, step)
        if model is not None:
            near = nearest(str(path[-1])[:LONGEST_POINTER], model.model_fields)
            return f"did you mean `{near}`?" if near else f"known here: {', '.join(model.model_fields)}"
    return None


def _model_of(route: object, source: str) -> type[BaseModel] | None:
    if not isinstance(route, APIRoute):
        return None
    query = route.dependant.query_params
    field = {"body": route.body_field, "query": query[0] if len(query) == 1 else None}.get(source)
    return None if field is None else _model_among(field.field_info.annotation)


def _model_in(model: type[BaseModel] | None, field: str) -> type[BaseModel] | None:
    """Return the schema of what a field holds, of its items where it is a list; None where it holds no document."""
    known = None if model is None else model.model_fields.get(field)
    return None if known is None else _model_among(known.annotation)


def _model_among(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_among(part)) is not None), None)


def _pointer(location: Sequence[str | int], body: object) -> str:
    source, *path = location
    if source != "body":
        return "/".join(("", str(source), *(str(part) for part in path)))[:LONGEST_POINTER]
    parts: list[str] = []
    inside = body
    for index, part in enumerate(path):
        is_last = index == len(path) - 1
        if isinstance(inside, Mapping) and (part in inside or is_last) and part != "[key]":
            parts.append(str(part))
            inside = inside.get(part)
        elif isinstance(inside, list) and isinstance(part, int):
            parts.append(str(part))
            inside = inside[part] if part < len(inside) else None
        # Anything else names a form of a union, which is no part of the document.
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)[:LONGEST_POINTER]


def _detail(error: Mapping[str, Any]) -> str:
    form = FORMS.get(error.get("ctx", {}).get("pattern", ""))
    text = form or _in_words(error) or str(error["msg"]).removeprefix("Value error, ")
    return text[:LONGEST_DETAIL]


def _in_words(error: Mapping[str, Any]) -> str | None:
    context = dict(error.get("ctx", {}))
    least = context.get("min_length", context.get("max_length"))
    context["entries"] = "entry" if least == 1 else "entries"
    if "expected" in context:
        # Members of an enumeration come as <Kind.NAME: 'value'>, plain values in quotes.
        context["expected"] = re.sub(r"<[^:>]*: '([^']*)'>", r"\1", str(context["expected"])).replace("'", "")
    words = _WORDS.get(error["type"])
    return None if words is None else words.format_map(context)
