"""What would follow, as the command asks for it and tells of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.schemas.waiting.suppositions import (
    LEAVING_EXAMPLE,
    SHRINKING_EXAMPLE,
    STARTING_EXAMPLE,
    JobWhatIfsAnswer,
    WhatIfAnswer,
)
from medley.answers import Json
from tests.builders.command import Reply, ScriptedServer, a_scripted_server, logged_in, run_medley

JOB = "name: first\nchips: h100-sxm\n"


def example(answer: type[JobWhatIfsAnswer | WhatIfAnswer]) -> Json:
    """Return an answer as the API's document shows it."""
    extra: Any = answer.model_config["json_schema_extra"]
    return dict(extra["examples"][0])


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as server:
        server.on("POST /v1/whatif", Reply(body=example(WhatIfAnswer)))
        server.on("POST /v1/jobs/whatif", Reply(body=example(JobWhatIfsAnswer)))
        server.on("GET /v1/whoami", Reply(body={"tenant": "demo"}))
        quota = {"queue": "demo", "resource": "h100-sxm", "guaranteed": 8, "limit": 64, "borrowing": None, "lending": 2}
        server.on("GET /v1/queues/demo/quotas", Reply(body={"items": [quota], "next": None}))
        yield server


def told(server: ScriptedServer, folder: Path, *line: str) -> str:
    ended = run_medley("whatif", *line, environment=logged_in(server, folder))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def asked(server: ScriptedServer, folder: Path, *line: str) -> Json:
    told(server, folder, *line)
    return dict(server.asked("POST /v1/whatif")[-1].body)


def refused(server: ScriptedServer, folder: Path, *line: str) -> str:
    ended = run_medley("whatif", *line, environment=logged_in(server, folder))
    assert ended.returncode == 2, ended.stdout
    assert not server.asked("POST /v1/whatif")
    return ended.stderr


def test_a_job_file_is_tried_and_other_chip_types_stand_beside_it(server: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(JOB)
    said = told(server, tmp_path, str(file))
    assert "h100-sxm: It would wait, 3rd in the queue" in said
    assert "CHIP" in said
    assert "2026-11-22 14:10 to 14:40" in said
    assert told(server, tmp_path, str(file), "-o", "name") == "waits\n"
    assert '"others"' in told(server, tmp_path, str(file), "-o", "json")


def test_what_is_supposed_is_asked_together(server: ScriptedServer, tmp_path: Path) -> None:
    body = asked(server, tmp_path, "--drain", "a", "--drain", "b", "--runs-on", "--drain-where", "rack=r1", "--count=2")
    assert body["drain"] == [
        {"nodes": ["a", "b"], "runs_on": True},
        {"like": None, "where": "rack=r1", "count": 2, "runs_on": True},
    ]
    body = asked(server, tmp_path, "--add", "8", "--like", "h100-sxm", "--weight", "demo=3")
    assert body["add"] == [{"like": "h100-sxm", "count": 8, "cluster": None}]
    assert body["weights"] == [{"queue": "demo", "weight": 3}]


def test_of_a_quota_what_is_left_out_stays_as_it_is(server: ScriptedServer, tmp_path: Path) -> None:
    (quota,) = asked(server, tmp_path, "--quota", "demo/h100-sxm", "--guaranteed", "16")["quotas"]
    assert (quota["queue"], quota["guaranteed"], quota["limit"], quota["lending"]) == ("demo", 16, 64, 2)


def test_a_job_that_would_come_then_is_somebodys(server: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(JOB)
    body = asked(server, tmp_path, str(file), "--add", "1", "--like", "h100-sxm", "--tenant", "beta")
    assert (body["job"]["name"], body["tenant"]) == ("first", "beta")


def test_who_leaves_and_who_waits_longer_is_told_in_tables(server: ScriptedServer, tmp_path: Path) -> None:
    said = told(server, tmp_path, "--drain", "mixed/h100-sxm-1")
    for words in ("Would have to leave:", "Would wait otherwise:", "30 min later", "Shares:", "40.0 %", "64", "56"):
        assert words in said, said
    assert told(server, tmp_path, "--drain", "n", "-o", "name") == "01jd3v9k2m0a7b4c\n"


def test_who_goes_on_with_fewer_workers_is_told_in_tables(server: ScriptedServer, tmp_path: Path) -> None:
    left = {**LEAVING_EXAMPLE, "workers": 8, "goes_to": ["mixed/h100-sxm-2"], "goes_on_with": 6}
    waits = {**LEAVING_EXAMPLE, "after_others": True, "estimate": None}
    starts = {**STARTING_EXAMPLE, "after_others": True}
    changed = {"leaving": [left, waits], "shrinking": [SHRINKING_EXAMPLE], "shrinking_count": 30, "starting": [starts]}
    server.on("POST /v1/whatif", Reply(body={**example(WhatIfAnswer), **changed}))
    said = told(server, tmp_path, "--drain", "mixed/h100-sxm-1")
    for words in (
        "Would go on with fewer workers (1 of 30):",
        "8 to 4",
        "priority, for 01jd3v9k2m0a7b4c",
        "mixed/h100-sxm-2, with 6 of 8",
        "where others make way",
    ):
        assert words in said, said
    assert SHRINKING_EXAMPLE["job"] in told(server, tmp_path, "--drain", "n", "-o", "name").split()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ((), "nothing is supposed"),
        (("--add", "3"), "--add needs --like"),
        (("--like", "h100-sxm"), "of added nodes"),
        (("--count", "3"), "--count needs"),
        (("--limit", "3"), "need --quota"),
        (("--quota", "demo"), "QUEUE/RESOURCE"),
        (("--weight", "demo"), "QUEUE=WEIGHT"),
    ],
)
def test_options_that_lack_others_are_refused(
    server: ScriptedServer, tmp_path: Path, line: tuple[str, ...], said: str
) -> None:
    assert said in refused(server, tmp_path, *line)
