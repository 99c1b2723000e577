"""Arrays by the command, against a server that speaks the wire contract."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.schemas.arrays.answers import ARRAY_EXAMPLE
from medley.answers import Json
from tests.builders.command import (
    JOB_ID,
    Reply,
    ScriptedServer,
    a_job,
    a_problem,
    a_scripted_server,
    a_spec,
    a_worker,
    logged_in,
    run_medley,
)

ARRAY_ID = "01jd3v9k2m0a7b4a"
MEMBER = {"id": ARRAY_ID, "name": "sweep", "index": 0, "count": 100, "most_at_once": 8}
JOB_FILE = "name: sweep\nworkers: 1\nchips: h100-sxm\n"


def an_array(**changes: Any) -> Json:
    return ARRAY_EXAMPLE | changes


def items(*found: Json) -> Reply:
    return Reply(body={"items": list(found), "next": None})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as server:
        server.on("GET /v1/jobs", items())
        server.on("GET /v1/arrays", items(an_array()))
        server.on(f"GET /v1/arrays/{ARRAY_ID}", Reply(body=an_array()))
        server.on("POST /v1/jobs", Reply(201, a_job(name="sweep-0", array=MEMBER)))
        server.on("POST /v1/jobs/cancel", items({"id": JOB_ID, "outcome": "cancelled"}))
        yield server


def test_a_job_file_becomes_an_array_by_an_option(server: ScriptedServer, tmp_path: Path) -> None:
    line = "submit - --array 100 --at-once 8"
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path), stdin=JOB_FILE)
    assert made.returncode == 0, made.stderr
    assert made.stdout == f"Submitted sweep ({ARRAY_ID}), sweep-0 to sweep-99. The first is queued\n"
    assert f"medley show {ARRAY_ID}" in made.stderr
    (asked,) = server.asked("POST /v1/jobs")
    assert asked.body["array"] == {"count": 100, "most_at_once": 8}


def test_an_option_changes_the_array_of_a_file(server: ScriptedServer, tmp_path: Path) -> None:
    text = JOB_FILE + "array: {count: 3, most_at_once: 2}\n"
    made = run_medley("submit", "-", "--array", "9", "-o", "name", environment=logged_in(server, tmp_path), stdin=text)
    assert (made.returncode, made.stdout) == (0, f"{ARRAY_ID}\n")
    assert server.asked("POST /v1/jobs")[0].body["array"] == {"count": 9, "most_at_once": 2}


@pytest.mark.parametrize("dry", [False, True])
def test_a_job_comes_after_an_array_by_its_name_or_id(server: ScriptedServer, tmp_path: Path, *, dry: bool) -> None:
    route = "POST /v1/jobs/dry-run" if dry else "POST /v1/jobs"
    server.on("POST /v1/jobs/dry-run", Reply(body={"outcome": "placed"}))
    line = f"submit - --after sweep --after {ARRAY_ID} -o name" + (" --dry-run" if dry else "")
    run_medley(*line.split(), environment=logged_in(server, tmp_path), stdin=JOB_FILE)
    assert server.asked(route)[0].body["after"] == [{"array": ARRAY_ID}] * 2


def test_a_dry_run_shows_where_the_first_of_an_array_would_be(server: ScriptedServer, tmp_path: Path) -> None:
    prospect = {
        "outcome": "partly",
        "text": "4 of 100 jobs would be placed at once, on mixed/nvidia-1; 96 more would wait beside them.",
        "next": "submit it, and the others start once there is room",
        "spec": a_spec(name="sweep"),
        "workers": [a_worker(phase=None)],
        "replicas": None,
        "array": {"wanted": 100, "at_once": 100, "tried": 100, "placed": 4},
    }
    server.on("POST /v1/jobs/dry-run", Reply(body=prospect))
    line = "submit - --array 100 --dry-run"
    tried = run_medley(*line.split(), environment=logged_in(server, tmp_path), stdin=JOB_FILE)
    assert tried.returncode == 0, tried.stderr
    assert tried.stdout.startswith("sweep: 4 of 100 jobs would be placed at once, on mixed/nvidia-1")
    assert "\nThe first of them:\nRANK" in tried.stdout
    assert "start once there is room" in tried.stderr


def test_a_job_file_names_an_array_that_comes_first(server: ScriptedServer, tmp_path: Path) -> None:
    text = JOB_FILE + f"after: [{{array: {ARRAY_ID}, condition: ended}}]\n"
    made = run_medley("submit", "-", "-o", "name", environment=logged_in(server, tmp_path), stdin=text)
    assert made.returncode == 0, made.stderr
    assert server.asked("POST /v1/jobs")[0].body["after"] == [{"array": ARRAY_ID, "condition": "ended"}]


def test_an_array_is_not_followed(server: ScriptedServer, tmp_path: Path) -> None:
    line = "submit - --array 9 --follow"
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path), stdin=JOB_FILE)
    assert (made.returncode, "this is an array" in made.stderr) == (2, True)
    assert server.requests == []


@pytest.mark.parametrize(
    ("states", "code", "said"),
    [
        ({"succeeded": 100}, 0, "succeeded: 100 jobs, 8 at once: 100 succeeded"),
        ({"succeeded": 99, "failed": 1}, 1, "failed: 100 jobs, 8 at once: 99 succeeded, 1 failed"),
    ],
)
def test_an_array_is_waited_for_until_all_of_its_jobs_are_over(
    server: ScriptedServer, tmp_path: Path, states: Json, code: int, said: str
) -> None:
    for line in ("wait sweep", "submit - --array 100 --wait"):
        server.on(f"GET /v1/arrays/{ARRAY_ID}", Reply(body=an_array()), Reply(body=an_array(states=states)))
        made = run_medley(*line.split(), environment=logged_in(server, tmp_path), stdin=JOB_FILE)
        assert (made.returncode, made.stdout) == (code, f"sweep ({ARRAY_ID}) {said}\n"), made.stderr
    late = run_medley("wait", "sweep", "--timeout", "0", environment=logged_in(server, tmp_path))
    assert late.returncode == code
    server.on(f"GET /v1/arrays/{ARRAY_ID}", Reply(body=an_array()))
    late = run_medley("wait", "sweep", "--timeout", "0", environment=logged_in(server, tmp_path))
    assert (late.returncode, "sweep is not over after 0 s" in late.stderr) == (124, True)


def test_too_large_an_array_is_told_with_the_servers_words(server: ScriptedServer, tmp_path: Path) -> None:
    errors = [{"pointer": "/array/count", "detail": "must be at most 10000"}]
    server.on("POST /v1/jobs", Reply(422, a_problem(422, "invalid-request", errors=errors)))
    text = JOB_FILE + "array:\n  count: 1000000\n"
    made = run_medley("submit", "-", environment=logged_in(server, tmp_path), stdin=text)
    assert made.returncode == 2
    assert "standard input:5: array.count: must be at most 10000" in made.stderr


def test_a_list_has_one_line_for_an_array_among_the_jobs(server: ScriptedServer, tmp_path: Path) -> None:
    newer, older = a_job(name="newer"), a_job(id="01jd3v9k2m0a7b49", name="older")
    server.on("GET /v1/jobs", items(newer, older))
    made = run_medley("ls", "--state", "queued", environment=logged_in(server, tmp_path))
    lines = made.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["newer", "sweep", "older"]
    assert lines[2].split()[:3] == ["sweep", ARRAY_ID, "running"]
    assert "100 jobs, 8 at once: 90 queued, 8 running, 2 succeeded" in lines[2]
    assert server.asked("GET /v1/jobs")[0].query["in_array"] == ["false"]
    assert server.asked("GET /v1/arrays")[0].query["state"] == ["queued"]


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("ls --members", {}),
        ("ls -o json", {}),
        ("ls --array sweep", {"array": [ARRAY_ID]}),
        (f"ls --array {ARRAY_ID} --state running", {"array": [ARRAY_ID], "state": ["running"]}),
    ],
)
def test_the_jobs_of_arrays_are_listed_where_that_is_asked_for(
    server: ScriptedServer, tmp_path: Path, line: str, query: dict[str, list[str]]
) -> None:
    server.on("GET /v1/jobs", items(a_job(name="sweep-0", array=MEMBER)))
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert made.returncode == 0, made.stderr
    (asked,) = server.asked("GET /v1/jobs")
    assert {name: value for name, value in asked.query.items() if name != "limit"} == query


def test_a_server_that_knows_no_arrays_has_none(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("GET /v1/arrays", Reply(404, a_problem(404, "not-found")))
    server.on("GET /v1/jobs", items(a_job()))
    assert run_medley("ls", environment=logged_in(server, tmp_path)).returncode == 0


@pytest.mark.parametrize("meant", ["sweep", ARRAY_ID])
def test_an_array_is_shown_by_its_name_or_id(server: ScriptedServer, tmp_path: Path, meant: str) -> None:
    made = run_medley("show", meant, environment=logged_in(server, tmp_path))
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[0] == f"sweep   running   array {ARRAY_ID}"
    for said in ("100 jobs, 8 at once, sweep-0 to sweep-99", "90 queued", "8 running", "2 succeeded"):
        assert said in made.stdout
    assert f"medley ls --array {ARRAY_ID}, or medley cancel {ARRAY_ID}" in made.stderr
    as_json = run_medley("show", meant, "-o", "json", environment=logged_in(server, tmp_path))
    assert json.loads(as_json.stdout) == an_array()


def test_a_job_of_that_name_goes_before_an_array(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("GET /v1/jobs", items(a_job(name="sweep")))
    server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=a_job(name="sweep")))
    made = run_medley("show", "sweep", "-o", "name", environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (0, f"{JOB_ID}\n")


def test_a_job_of_an_array_says_of_which(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=a_job(name="sweep-0", array=MEMBER)))
    made = run_medley("show", JOB_ID, environment=logged_in(server, tmp_path))
    assert f"sweep ({ARRAY_ID}): number 0 of 0 to 99" in made.stdout


def test_all_of_an_array_is_cancelled_by_its_name(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("cancel", "sweep", environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (0, "1 cancelled\n"), made.stderr
    assert [one.body for one in server.asked("POST /v1/jobs/cancel")] == [
        {"filter": {"array": ARRAY_ID, "tenant": "demo"}}
    ]


def test_some_of_an_array_are_cancelled_by_a_filter(server: ScriptedServer, tmp_path: Path) -> None:
    line = "cancel --array sweep --state queued"
    assert run_medley(*line.split(), environment=logged_in(server, tmp_path)).returncode == 0
    (asked,) = server.asked("POST /v1/jobs/cancel")
    assert asked.body == {"filter": {"array": ARRAY_ID, "state": ["queued"]}}


def test_jobs_and_arrays_are_cancelled_together(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=a_job()))
    made = run_medley("cancel", JOB_ID, "sweep", environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (0, "2 cancelled\n"), made.stderr
    assert server.asked("POST /v1/jobs/cancel")[0].body == {"jobs": [JOB_ID]}


@pytest.mark.parametrize("line", ["why sweep", "follow sweep", "priority sweep 3", "logs sweep", "clone sweep"])
def test_what_is_about_one_job_says_that_an_array_is_many(server: ScriptedServer, tmp_path: Path, line: str) -> None:
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert made.returncode == 3
    assert "`sweep` is an array, and this is about one job" in made.stderr
    assert "such as sweep-0" in made.stderr


def test_an_array_that_there_is_not_is_told(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("GET /v1/arrays", items())
    for line in ("ls --array nobody", "cancel --array nobody", "show nobody"):
        made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
        assert made.returncode == 3
        assert "`nobody`" in made.stderr
