"""Label selectors and field selectors."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.kubernetes.fake_api.answers import Json, Refusal
from tests.kubernetes.fake_api.resources import ANY_FIELDS, Kind

Matcher = Callable[[Json], bool]

SET = re.compile(r"^(\S+)\s+(in|notin)\s*\(([^()]*)\)$")
EQUALITY = re.compile(r"^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$")
NAME = re.compile(r"^[A-Za-z0-9][-A-Za-z0-9_./]*$")


def selector(kind: Kind, labels: str, fields: str) -> Matcher | None:
    """Return what says whether an object is selected; None where every one is. Raises Refusal (400)."""
    tests = [*_label_tests(labels), *_field_tests(kind, fields)]
    if not tests:
        return None
    return lambda document: all(test(document) for test in tests)


def field(document: Json, path: str) -> str:
    """Return the text of one field; empty where it is missing."""
    value: Any = document
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "false" if value is None and path == "spec.unschedulable" else str(value or "")


def _label_tests(text: str) -> list[Matcher]:
    return [_label_test(part.strip()) for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def _label_test(part: str) -> Matcher:
    if match := SET.match(part):
        key, operator, listed = match.groups()
        values = {value.strip() for value in listed.split(",")}
        if operator == "in":
            return lambda document: _labels(document).get(key) in values
        return lambda document: _labels(document).get(key) not in values
    if match := EQUALITY.match(part):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda document: _labels(document).get(key) != value
        return lambda document: _labels(document).get(key) == value
    name = part.removeprefix("!").strip()
    if not NAME.match(name):
        raise Refusal(400, f"unable to parse requirement: found '{name[:1]}', expected: identifier")
    if part.startswith("!"):
        return lambda document: name not in _labels(document)
    return lambda document: name in _labels(document)


def _labels(document: Json) -> Mapping[str, str]:
    labels: Mapping[str, str] = document["metadata"].get("labels") or {}
    return labels


def _field_tests(kind: Kind, text: str) -> list[Matcher]:
    return [_field_test(kind, part) for part in text.split(",") if part]


def _field_test(kind: Kind, part: str) -> Matcher:
    match = EQUALITY.match(part)
    if match is None:
        raise Refusal(400, f"invalid selector: '{part}'; can't understand '{part}'")
    path, operator, value = match.groups()
    if path not in kind.fields:
        if kind.fields == ANY_FIELDS:
            raise Refusal(400, f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"')
        raise Refusal(400, f"field label not supported: {path}")
    if operator == "!=":
        return lambda document: field(document, path) != value
    return lambda document: field(document, path) == value
