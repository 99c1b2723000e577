"""When a job starts, as the command says it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medley.answers import Json
from tests.builders.command import JOB_ID, Reply, ScriptedServer, a_job, a_scripted_server, logged_in, run_medley

ESTIMATE: Json = {
    "text": "it is expected to start between 14:10 and 14:40 UTC, as far as time limits tell",
    "earliest": "2026-11-22T14:10:00Z",
    "latest": "2026-11-22T14:40:00Z",
    "basis": "limits",
    "unknown": None,
    "made_at": "2026-11-22T13:00:00Z",
}
SAID = "It is expected to start between 14:10 and 14:40 UTC, as far as time limits tell.\n"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as server:
        yield server


def estimated(server: ScriptedServer, folder: Path, *line: str) -> str:
    ended = run_medley("estimate", *line, environment=logged_in(server, folder))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_job_that_waits_is_told_when_it_is_expected_to_start(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=a_job()))
    server.on(f"GET /v1/jobs/{JOB_ID}/why", Reply(body={"text": "It waits.", "estimate": ESTIMATE}))
    assert estimated(server, tmp_path, JOB_ID) == SAID
    assert '"basis": "limits"' in estimated(server, tmp_path, JOB_ID, "-o", "json")
    assert estimated(server, tmp_path, JOB_ID, "-o", "name") == "2026-11-22T14:40:00Z\n"


def test_a_job_that_runs_is_told_that_it_does(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=a_job()))
    server.on(f"GET /v1/jobs/{JOB_ID}/why", Reply(body={"text": "It runs.", "estimate": None}))
    assert estimated(server, tmp_path, JOB_ID) == "It runs.\n"


def test_a_job_file_is_tried_and_not_submitted(server: ScriptedServer, tmp_path: Path) -> None:
    job_file = tmp_path / "job.yaml"
    job_file.write_text("name: first\nchips: h100-sxm\n")
    server.on("POST /v1/jobs/dry-run", Reply(body={"outcome": "waits", "text": "It waits.", "estimate": ESTIMATE}))
    assert estimated(server, tmp_path, str(job_file)) == SAID
    assert not server.asked("POST /v1/jobs")
