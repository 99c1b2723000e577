import importlib
import pkgutil

import pytest

from api import schemas
from api.schemas.text import Answer, Body

for module in pkgutil.walk_packages(schemas.__path__, f"{schemas.__name__}."):
    importlib.import_module(module.name)


def all_below(schema: type[Answer] | type[Body]) -> list[type[Answer] | type[Body]]:
    return [schema, *(found for below in schema.__subclasses__() for found in all_below(below))]


def examples() -> list[tuple[type[Answer] | type[Body], dict[str, object]]]:
    every = [*all_below(Answer), *all_below(Body)]
    return [(schema, example) for schema in every for example in schema.model_json_schema().get("examples", [])]


def test_there_are_examples() -> None:
    assert len(examples()) > 30


@pytest.mark.parametrize(("schema", "example"), examples(), ids=lambda value: getattr(value, "__name__", ""))
def test_an_example_is_what_its_schema_says_no_less_and_no_more(
    schema: type[Answer] | type[Body], example: dict[str, object]
) -> None:
    assert schema.model_validate(example).model_dump(mode="json", exclude_unset=True) == example
    if issubclass(schema, Answer):
        assert set(example) == set(schema.model_fields)
