"""The schema of job files agrees with what the API accepts."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from api.answers.job_schema import job_schema
from api.schemas.job_request import JobRequest
from docs.generate import DOCS
from medley.file_kinds import JOB_FILE
from medley.yaml_file import read_yaml_file

SCHEMA = job_schema()
EXAMPLES = sorted((DOCS.parent / "examples" / "jobs").glob("*.yaml"))
FIRST: dict[str, Any] = {"name": "first", "chips": "h100-sxm", "workers": 2}
ACCEPTED: list[dict[str, Any]] = [
    FIRST,
    {**FIRST, "chips": ["h100-sxm", "mi300x"], "topology": {"require": "rack"}, "retries": 10},
    {"name": "mixed", "chips": {"h100-sxm": 1, "mi300x": 3}},
    {**FIRST, "share": {"milli": 500, "memory_mib": 1024}, "stall_limit_s": None, "labels": {"team": "vision"}},
]
REFUSED: list[dict[str, Any]] = [
    {},
    {"name": "first"},
    {**FIRST, "wrokers": 2},
    {**FIRST, "workers": 0},
    {**FIRST, "workers": "2"},
    {**FIRST, "workers": 2.5},
    {**FIRST, "name": "First"},
    {**FIRST, "kind": "cooking"},
    {**FIRST, "chips": []},
    {**FIRST, "command": []},
    {**FIRST, "command": "python train.py"},
    {**FIRST, "environment": {"LEVEL": 1}},
    {**FIRST, "training": {"step": 60}},
    {**FIRST, "share": {"milli": 1000, "memory_mib": 1}},
    {**FIRST, "priority": 101},
    {**FIRST, "roles": [{"workers": 1}]},
]


def fits(job: object) -> bool:
    return bool(jsonschema_rs.is_valid(SCHEMA, job))


def is_accepted(job: object) -> bool:
    try:
        JobRequest.model_validate(job)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_fits_and_leads_editors_to_the_schema(path: Path) -> None:
    assert fits(read_yaml_file(str(path), JOB_FILE).fields)
    first, _, _ = path.read_text().partition("\n")
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == DOCS / "job.schema.json"


@pytest.mark.parametrize("job", [*ACCEPTED, *SCHEMA["examples"]], ids=lambda job: json.dumps(job)[:60])
def test_what_the_api_accepts_fits(job: dict[str, Any]) -> None:
    assert is_accepted(job)
    assert fits(job)


@pytest.mark.parametrize("job", REFUSED, ids=lambda job: json.dumps(job)[:60])
def test_what_one_field_alone_is_refused_for_does_not_fit(job: dict[str, Any]) -> None:
    assert not is_accepted(job)
    assert not fits(job)


def test_every_field_explains_itself() -> None:
    places = {"": SCHEMA, **SCHEMA["$defs"]}
    silent = [
        f"{place}.{name}"
        for place, described in places.items()
        for name, field in described.get("properties", {}).items()
        if not any("description" in part for part in (field, *field.get("anyOf", ())))
    ]
    assert not silent, "give these a description or a docstring: editors show it"


def test_fields_have_no_titles_made_of_their_names() -> None:
    assert SCHEMA["title"] == "A job of Medley"
    assert not any("title" in field for field in SCHEMA["properties"].values())
