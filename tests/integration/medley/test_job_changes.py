"""Cancelling many jobs, priorities and clones by the command, against a server that speaks the wire contract."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from medley.main import run
from tests.builders.command import (
    JOB_ID,
    Reply,
    ScriptedServer,
    a_job,
    a_problem,
    a_scripted_server,
    a_spec,
    logged_in,
    run_medley,
)

OTHER = "01jd3v9k2m0a7b4d"
ONE_OF_EACH = [{"id": JOB_ID, "outcome": "cancelled"}, {"id": OTHER, "outcome": "stopping"}]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as server:
        server.on("GET /v1/jobs", Reply(body={"items": [a_job()], "next": None}))
        server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=a_job()))
        server.on(f"GET /v1/jobs/{OTHER}", Reply(body=a_job(id=OTHER)))
        server.on("POST /v1/jobs/cancel", Reply(body={"items": ONE_OF_EACH, "next": None}))
        server.on(f"PATCH /v1/jobs/{JOB_ID}", Reply(body=a_job(spec=a_spec(priority=-5))))
        server.on(f"POST /v1/jobs/{JOB_ID}/clone", Reply(201, a_job(id=OTHER, name="second")))
        yield server


def test_several_jobs_are_cancelled_by_one_request(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("cancel", "first", OTHER, environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (0, "1 cancelled, 1 will be cancelled\n")
    assert [asked.body for asked in server.asked("POST /v1/jobs/cancel")] == [{"jobs": [JOB_ID, OTHER]}]


def test_a_filter_is_worked_through_to_its_end(server: ScriptedServer, tmp_path: Path) -> None:
    pages = [{"items": ONE_OF_EACH[:1], "next": "abc"}, {"items": ONE_OF_EACH[1:], "next": None}]
    server.on("POST /v1/jobs/cancel", *(Reply(body=page) for page in pages))
    line = "cancel --label team:vision --state queued --state running --by ada -o name"
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (0, f"{JOB_ID}\n{OTHER}\n")
    wanted = {"label": "team:vision", "submitted_by": "ada", "state": ["queued", "running"]}
    assert [asked.body for asked in server.asked("POST /v1/jobs/cancel")] == [
        {"filter": wanted},
        {"filter": wanted, "cursor": "abc"},
    ]


def test_all_means_an_empty_filter_and_says_where_nothing_was_found(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("POST /v1/jobs/cancel", Reply(body={"items": [], "next": None}))
    made = run_medley("cancel", "--all", "--tenant", "demo", environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (0, "no unfinished job is found by --tenant demo\n")
    assert server.asked("POST /v1/jobs/cancel")[0].body == {"filter": {"tenant": "demo"}}


@pytest.mark.parametrize(("answer", "cancels"), [("y\n", 1), ("n\n", 0), ("\n", 0), ("", 0)])
def test_somebody_at_a_terminal_is_asked_before_all_is_cancelled(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, cancels: int
) -> None:
    for name, value in logged_in(server, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("medley.commands.changes.jobs.is_terminal", lambda _: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert run(["cancel", "--all", "--tenant", "demo"]) == 0
    assert len(server.asked("POST /v1/jobs/cancel")) == cancels
    assert run(["cancel", "--all", "--tenant", "demo", "--yes"]) == 0
    assert len(server.asked("POST /v1/jobs/cancel")) == cancels + 1


def test_the_answers_are_given_as_json(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("cancel", "--all", "-o", "json", environment=logged_in(server, tmp_path))
    assert json.loads(made.stdout) == {"items": ONE_OF_EACH}


@pytest.mark.parametrize(
    "line", ["cancel", "cancel first --all", "cancel --all --label a:b", "cancel first --label a:b"]
)
def test_which_jobs_must_be_clear(server: ScriptedServer, tmp_path: Path, line: str) -> None:
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert made.returncode == 2
    assert "say which jobs" in made.stderr
    assert server.requests == []


def test_a_priority_may_be_negative(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("priority", "first", "-5", environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (0, f"first ({JOB_ID}) has the priority -5\n"), made.stderr
    assert server.asked(f"PATCH /v1/jobs/{JOB_ID}")[0].body == {"priority": -5}


def test_a_clone_takes_fields_as_a_job_file_has_them(server: ScriptedServer, tmp_path: Path) -> None:
    line = ["clone", "first", "--name", "second", "--set", "priority=10", "--set", "chips={h100-sxm: 2}", "--key", "k"]
    made = run_medley(*line, environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (0, f"Submitted second ({OTHER})\n"), made.stderr
    (asked,) = server.asked(f"POST /v1/jobs/{JOB_ID}/clone")
    assert asked.body == {"overrides": {"priority": 10, "chips": {"h100-sxm": 2}, "name": "second"}}
    assert asked.headers["Idempotency-Key"] == "k"


@pytest.mark.parametrize("text", ["priority", "=1", "a b=1", "name={", "priority=1\nname: x"])
def test_what_is_no_field_is_refused(server: ScriptedServer, tmp_path: Path, text: str) -> None:
    made = run_medley("clone", "first", "--set", text, environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (2, "")
    assert server.requests == []


def test_a_refused_clone_says_which_field(server: ScriptedServer, tmp_path: Path) -> None:
    errors = [{"pointer": "/retry", "detail": "is not a known field"}]
    server.on(f"POST /v1/jobs/{JOB_ID}/clone", Reply(422, a_problem(422, "invalid-request", errors=errors)))
    made = run_medley("clone", "first", "--set", "retry=2", environment=logged_in(server, tmp_path))
    assert made.returncode == 2
    assert "did you mean `retries`?" in made.stderr


def test_a_job_is_submitted_after_others_by_name(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("POST /v1/jobs", Reply(201, a_job()))
    file = tmp_path / "job.yaml"
    file.write_text(f"name: second\nworkers: 1\nchips: h100-sxm\nafter: [{{job: {OTHER}, condition: ended}}]\n")
    made = run_medley("submit", str(file), "--after", "first", environment=logged_in(server, tmp_path))
    assert made.returncode == 0, made.stderr
    assert server.asked("POST /v1/jobs")[0].body["after"] == [{"job": OTHER, "condition": "ended"}, {"job": JOB_ID}]
