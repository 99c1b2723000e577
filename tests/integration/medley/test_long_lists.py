"""Lists that are longer than a page, by the command, against a server that speaks the wire contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.command import (
    JOB_ID,
    Reply,
    ScriptedServer,
    a_job,
    a_job_in_short,
    a_scripted_server,
    logged_in,
    run_medley,
)

OLDER_ID = "01jd3v9k2m0a7b00"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """One whole job on the first page, one more on the next."""
    with a_scripted_server() as server:
        server.on("GET /v1/jobs", Reply(body={"items": [a_job()], "next": "c1"}))
        rows = [a_job_in_short(id=OLDER_ID, name="older", state="failed", stop_reason="stalled")]
        server.on("GET /v1/jobs/rows", Reply(body={"items": rows, "next": None}))
        server.on("GET /v1/arrays", Reply(body={"items": [], "next": None}))
        yield server


def test_a_table_of_all_jobs_goes_on_in_short_after_its_first_page(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("ls", "--all", "--by", "ada", environment=logged_in(server, tmp_path))
    first, second = made.stdout.splitlines()[1:]
    assert (first.split()[1], second.split()[1]) == (JOB_ID, OLDER_ID)
    assert second.endswith("no progress for too long")
    assert server.asked("GET /v1/jobs")[0].query["limit"] == ["200"]
    want = {"submitted_by": ["ada"], "in_array": ["false"], "limit": ["2000"], "cursor": ["c1"]}
    assert [request.query for request in server.asked("GET /v1/jobs/rows")] == [want]


def test_a_short_list_reads_whole_jobs_alone(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("ls", "--limit", "1", environment=logged_in(server, tmp_path))
    assert len(made.stdout.splitlines()) == 2
    assert server.asked("GET /v1/jobs")[0].query["limit"] == ["2"]


@pytest.mark.parametrize("form", ["wide", "json", "yaml"])
def test_whoever_asks_for_all_there_is_gets_whole_jobs(server: ScriptedServer, tmp_path: Path, form: str) -> None:
    pages = [Reply(body={"items": [a_job()], "next": cursor}) for cursor in ("c1", None)]
    server.on("GET /v1/jobs", *pages)
    assert run_medley("ls", "--all", "-o", form, environment=logged_in(server, tmp_path)).returncode == 0
    assert len(server.asked("GET /v1/jobs")) == 2
    assert server.asked("GET /v1/jobs/rows") == []


def test_names_of_all_jobs_are_all_that_is_read_for_them(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("ls", "--all", "--state", "failed", "-o", "name", environment=logged_in(server, tmp_path))
    assert made.stdout == f"{OLDER_ID}\n"
    want = {"state": ["failed"], "limit": ["2000"], "fields": ["id"]}
    assert [request.query for request in server.asked("GET /v1/jobs/rows")] == [want]
    assert server.asked("GET /v1/jobs") == []
