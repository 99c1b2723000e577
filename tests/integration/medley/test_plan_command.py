"""`medley plan`: what it asks, what it draws, what it writes, and how it says that there is no plan."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.schemas.planning.answer import PlansAnswer
from medley.answers import Json
from tests.builders.command import Reply, ScriptedServer, a_scripted_server, logged_in, run_medley

FILE = "model: gpt2\nglobal_batch: 8\nsequence: 1024\n"


def example() -> Json:
    """Return an answer as the API's document shows it."""
    extra: Any = PlansAnswer.model_config["json_schema_extra"]
    return dict(extra["examples"][0])


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as server:
        server.on("POST /v1/plans", Reply(body=example()))
        yield server


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "plan.yaml"
    path.write_text(FILE)
    return str(path)


def run(server: ScriptedServer, folder: Path, *line: str, code: int = 0) -> tuple[str, str]:
    ended = run_medley("plan", *line, environment=logged_in(server, folder))
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout, ended.stderr


def test_the_file_is_what_is_asked(server: ScriptedServer, tmp_path: Path, file: str) -> None:
    said, _ = run(server, tmp_path, file)
    assert server.asked("POST /v1/plans")[-1].body == {"model": "gpt2", "global_batch": 8, "sequence": 1024}
    assert "4 h100-sxm and 4 ascend-910b2: 2 replicas of 2 stages" in said
    assert "NVIDIA alone" in said
    assert "One node more in mixed/h100-sxm-81920-x8" in said
    assert "Now on 4 h100-sxm and 4 ascend-910b2" in said
    assert "v100-sxm-32 has no bf16." in said


def test_other_forms_of_the_answer_are_chosen_by_output(server: ScriptedServer, tmp_path: Path, file: str) -> None:
    assert json.loads(run(server, tmp_path, file, "-o", "json")[0]) == example()
    assert run(server, tmp_path, file, "-o", "name")[0] == "h100-sxm\nascend-910b2\n"


def test_the_plan_and_its_picture_are_written(server: ScriptedServer, tmp_path: Path, file: str) -> None:
    plan, svg = tmp_path / "plan.json", tmp_path / "plan.svg"
    run(server, tmp_path, file, "--save", str(plan), "--svg", str(svg))
    assert json.loads(plan.read_text()) == example()["plans"][0]["plan"]
    assert svg.read_text().startswith("<svg ")
    run(server, tmp_path, file, "--earlier", str(plan))
    assert server.asked("POST /v1/plans")[-1].body["earlier"] == example()["plans"][0]["plan"]


def test_options_are_printed_one_a_line(server: ScriptedServer, tmp_path: Path, file: str) -> None:
    said, _ = run(server, tmp_path, file, "--flags", "flagscale")
    assert said == "--num-layers 8 \\\n--pipeline-model-parallel-size 2\n"


def test_a_program_that_cannot_follow_the_plan_is_named(server: ScriptedServer, tmp_path: Path, file: str) -> None:
    said, talked = run(server, tmp_path, file, "--flags", "megatron", code=1)
    assert said == ""
    assert "megatron cannot follow this plan: its pipelines are of one chip type" in talked


def test_that_there_is_no_plan_is_said_and_fails(server: ScriptedServer, tmp_path: Path, file: str) -> None:
    server.on("POST /v1/plans", Reply(body=example() | {"plans": [], "text": "It does not fit."}))
    assert run(server, tmp_path, file, code=1)[0] == "It does not fit.\n"
    assert json.loads(run(server, tmp_path, file, "-o", "json", code=1)[0])["plans"] == []


def test_a_refusal_names_the_line_of_the_file(server: ScriptedServer, tmp_path: Path, file: str) -> None:
    errors = [{"pointer": "/global_batch", "detail": "must be at least 1"}]
    problem = {"title": "", "status": 422, "detail": "No.", "code": "invalid-request", "next": None, "errors": errors}
    server.on("POST /v1/plans", Reply(422, problem))
    _, talked = run(server, tmp_path, file, code=2)
    assert f"{file}:2: global_batch: must be at least 1" in talked


def test_what_runs_took_is_asked_with_and_the_next_one_is_named(
    server: ScriptedServer, tmp_path: Path, file: str
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text("{}")
    said, _ = run(server, tmp_path, file, "--tried", f"{plan}=1.71", "--tried", f"{plan}=failed")
    runs = [{"plan": {}, "step_s": 1.71}, {"plan": {}, "step_s": None}]
    assert server.asked("POST /v1/plans")[-1].body["tried"] == runs
    assert "Plan 1 is worth a run. The quickest so far took 1.71 s a step." in said


@pytest.mark.parametrize("said", ["1.71", "plan.json=quick", "plan.json=0", "plan.json=nan", "plan.json=inf"])
def test_what_is_no_run_is_refused_with_what_to_write(
    server: ScriptedServer, tmp_path: Path, file: str, said: str
) -> None:
    _, talked = run(server, tmp_path, file, "--tried", said, code=2)
    assert f"{said} is no run" in talked
    assert "PLAN.json=SECONDS" in talked


@pytest.mark.parametrize(("text", "said"), [(None, "cannot be read"), ("{", "is no plan file: it is not JSON")])
def test_an_earlier_plan_that_cannot_be_read_is_named(
    server: ScriptedServer, tmp_path: Path, file: str, text: str | None, said: str
) -> None:
    path = tmp_path / "earlier.json"
    if text is not None:
        path.write_text(text)
    _, talked = run(server, tmp_path, file, "--earlier", str(path), code=2)
    assert f"{path} {said}" in talked


def test_only_a_plan_that_was_found_can_be_chosen(server: ScriptedServer, tmp_path: Path, file: str) -> None:
    assert "there is no plan 2: 1 was found" in run(server, tmp_path, file, "--number", "2", code=2)[1]
