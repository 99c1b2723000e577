"""From validation errors to pointers that people and programs can follow."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.problems import FieldError
from api.schemas.text import FORMS

MOST_ERRORS = 20
LONGEST_POINTER = 200
LONGEST_DETAIL = 300
_WORDS = {"extra_forbidden": "is not known here", "missing": "is needed"}


def field_errors(errors: Sequence[Mapping[str, Any]], body: object) -> tuple[FieldError, ...]:
    """Return what is wrong, at most 20 entries, each once. What was sent is not repeated in them."""
    found = [FieldError(_pointer(error["loc"], body), _detail(error)) for error in errors[:MOST_ERRORS]]
    return tuple(dict.fromkeys(found))


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
        model = _model_of(route, source)
        if error["type"] == "extra_forbidden" and model is not None and len(path) == 1:
            near = get_close_matches(str(path[0])[:LONGEST_POINTER], list(model.model_fields), n=1)
            return f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(model.model_fields)}"
    return None


def _model_of(route: object, source: str) -> type[BaseModel] | None:
    if not isinstance(route, APIRoute):
        return None
    query = route.dependant.query_params
    field = {"body": route.body_field, "query": query[0] if len(query) == 1 else None}.get(source)
    annotation = None if field is None else field.field_info.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


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
    text = form or _WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    return text[:LONGEST_DETAIL]
