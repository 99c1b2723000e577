"""What the command knows of the API by heart is what the API says."""

import re
from pathlib import Path
from typing import get_args

import pytest

from api.schemas.arrays.request import ArrayRequest
from api.schemas.fleet import ChipBody
from api.schemas.job_request import JobRequest
from api.schemas.placement import (
    AlternativeRequest,
    ApartRequest,
    RoleRequest,
    ShareRequest,
    SpreadRequest,
    TopologyRequest,
)
from api.schemas.planning.request import ExpertsBody, LimitsBody, ModelBody, NetworkBody, PlanRequest
from api.schemas.program import AfterRequest, ServeRequest, TrainingRequest
from api.schemas.text import Body
from medley.commands.access import Role as CommandRole
from medley.commands.jobs import State as CommandState
from medley.commands.tokens import Scope as CommandScope
from medley.file_kinds import CHIP_FIELDS, JOB_FILE, PLAN_REQUEST_FILE
from medley.screens import job_text
from medley.yaml_file import read_yaml_file
from scheduler.core.model.group import FINAL, State
from scheduler.core.model.tenant import Role, Scope

PLANS = sorted((Path(__file__).parents[3] / "examples" / "plans").glob("*.yaml"))
EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "jobs").glob("*.yaml"))


SCHEMAS: dict[str, type[Body]] = {
    "": JobRequest,
    "/share": ShareRequest,
    "/alternatives/*": AlternativeRequest,
    "/alternatives/*/share": ShareRequest,
    "/roles/*": RoleRequest,
    "/roles/*/share": ShareRequest,
    "/topology": TopologyRequest,
    "/spread": SpreadRequest,
    "/apart": ApartRequest,
    "/training": TrainingRequest,
    "/serve": ServeRequest,
    "/after/*": AfterRequest,
    "/array": ArrayRequest,
}


def test_the_fields_of_a_job_are_the_apis() -> None:
    assert {place: set(fields) for place, fields in JOB_FILE.fields.items()} == {
        place: set(schema.model_fields) for place, schema in SCHEMAS.items()
    }


def test_the_fields_of_a_training_to_plan_are_the_apis() -> None:
    schemas: dict[str, type[Body]] = {
        "": PlanRequest,
        "/model": ModelBody,
        "/model/experts": ExpertsBody,
        "/limits": LimitsBody,
        "/network": NetworkBody,
    }
    assert {place: set(fields) for place, fields in PLAN_REQUEST_FILE.fields.items()} == {
        place: set(schema.model_fields) for place, schema in schemas.items()
    }


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_api_accepts_every_example_of_a_training_to_plan(path: Path) -> None:
    request = PlanRequest.model_validate(read_yaml_file(str(path), PLAN_REQUEST_FILE).fields)
    assert request.name == path.stem


@pytest.mark.parametrize(("title", "fields"), [("A job file", JOB_FILE.fields[""]), ("A chip file", CHIP_FIELDS)])
def test_every_field_of_a_file_is_in_the_documentation(title: str, fields: tuple[str, ...]) -> None:
    page = (EXAMPLES[0].parents[2] / "docs" / "commands.md").read_text("utf-8")
    part = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", "".join(rows))) == sorted(fields)


def test_the_fields_of_a_chip_type_are_the_apis() -> None:
    assert set(CHIP_FIELDS) == set(ChipBody.model_fields)


def test_states_and_roles_are_the_schedulers() -> None:
    assert set(get_args(CommandState)) == set(State)
    assert set(get_args(CommandRole)) == set(Role)
    assert set(get_args(CommandScope)) == set(Scope)
    assert job_text.FINAL == FINAL


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_api_accepts_every_example(path: Path) -> None:
    request = JobRequest.model_validate(read_yaml_file(str(path), JOB_FILE).fields)
    assert request.to_spec().name == path.stem
