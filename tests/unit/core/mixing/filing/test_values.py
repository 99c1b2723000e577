"""Dataclasses as JSON: what comes back is what was written, and errors point at what is wrong."""

from dataclasses import dataclass
from enum import StrEnum
from math import nan
from typing import Any

import pytest

from scheduler.core.mixing.filing.values import BadValue, read, schema_of, written


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    """Something small."""

    weight: float
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Outer:
    """Something with parts."""

    name: str
    count: int
    is_on: bool
    parts: tuple[Inner, ...] = ()
    spare: Inner | None = None


WHOLE = Outer("one", 3, True, (Inner(1.5), Inner(0.1, Colour.BLUE)), Inner(2.0))


def test_what_is_read_is_what_was_written() -> None:
    assert read(Outer, written(WHOLE)) == WHOLE
    assert written(WHOLE)["parts"][1] == {"weight": 0.1, "colour": "blue"}


def test_a_whole_number_stands_for_a_number_and_comes_back_as_one() -> None:
    assert isinstance(read(Inner, {"weight": 2}).weight, float)


def test_what_has_a_default_may_be_left_out() -> None:
    assert read(Outer, {"name": "one", "count": 3, "is_on": False}) == Outer("one", 3, is_on=False)


@pytest.mark.parametrize(
    ("change", "pointer", "what"),
    [
        ({"count": "3"}, "/count", "must be a whole number"),
        ({"count": True}, "/count", "must be a whole number"),
        ({"count": 3.0}, "/count", "must be a whole number"),
        ({"is_on": 1}, "/is_on", "must be true or false"),
        ({"name": None}, "/name", "must be a text"),
        ({"parts": {}}, "/parts", "must be a list"),
        ({"parts": [{}]}, "/parts/0/weight", "is missing"),
        ({"parts": [{"weight": nan}]}, "/parts/0/weight", "must be a finite number"),
        ({"parts": [{"weight": 1, "colour": "green"}]}, "/parts/0/colour", "must be one of red, blue"),
        ({"spare": 3}, "/spare", "must be an object"),
        ({"more": 3}, "/more", "is not known"),
    ],
)
def test_an_error_points_at_what_is_wrong(change: dict[str, Any], pointer: str, what: str) -> None:
    with pytest.raises(BadValue) as caught:
        read(Outer, {**written(WHOLE), **change})
    assert (caught.value.pointer, caught.value.what) == (pointer, what)


def test_a_schema_says_the_types_of_all_parts() -> None:
    schema = schema_of(Outer)
    assert schema["required"] == ["name", "count", "is_on", "parts", "spare"]
    assert schema["properties"]["parts"]["items"]["properties"]["colour"] == {"type": "string", "enum": ["red", "blue"]}
    assert schema["properties"]["spare"]["anyOf"][1] == {"type": "null"}
    assert schema["description"] == "Something with parts."
