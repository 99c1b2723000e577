"""`medley usage` and `medley history`, against a server that speaks the wire contract."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.command import JOB_ID, Reply, ScriptedServer, a_scripted_server, logged_in, run_medley

WORTH = {"chip_hours": 96.0, "compute_pflops_hours": 94.944, "is_estimate": True, "unrated_chip_hours": 1.5}
ACCOUNT = {"tenant": "demo", "user": None, "chip": "h100-sxm", "day": None, **WORTH}
USAGE = {"since": "2026-11-01T00:00:00.000000Z", "until": "2026-11-21T12:00:00.000000Z", "by": ["tenant", "chip"],
         "items": [ACCOUNT]}  # fmt: skip
FINISHED = {
    "id": JOB_ID, "name": "first", "tenant": "demo", "user": "ann", "state": "succeeded", "attempts": 1,
    "submitted_at": "2026-11-21T12:00:00Z", "placed_at": "2026-11-21T12:00:01Z",
    "finished_at": "2026-11-21T14:00:01Z", "wait_s": 1.0, "run_s": 7200.0, **WORTH,
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as found:
        found.on("GET /v1/usage", Reply(body=USAGE))
        found.on("GET /v1/history", Reply(body={"items": [FINISHED], "next": None}))
        yield found


def asked(server: ScriptedServer) -> dict[str, list[str]]:
    return dict(server.requests[-1].query)


def test_accounts_are_shown_with_their_sum(server: ScriptedServer, tmp_path: Path) -> None:
    result = run_medley("usage", "--from", "2026-11-01", environment=logged_in(server, tmp_path))
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0].split() == ["TENANT", "CHIP", "CHIP", "HOURS", "PFLOPS", "HOURS"]
    assert "~94.944" in result.stdout
    assert "96.00 chip-hours, worth ~94.944 PFLOP/s-hours, without 1.50 of chip types" in result.stdout
    assert asked(server) == {"from": ["2026-11-01T00:00:00Z"], "by": ["tenant", "chip"]}


def test_accounts_come_as_csv_and_json(server: ScriptedServer, tmp_path: Path) -> None:
    environment = logged_in(server, tmp_path)
    by = ["usage", "--by", "chip", "--by", "day", "--tenant", "demo"]
    (row,) = csv.DictReader(io.StringIO(run_medley(*by, "-o", "csv", environment=environment).stdout))
    assert row == {"chip": "h100-sxm", "day": "", "chip_hours": "96.0", "compute_pflops_hours": "94.944",
                   "is_estimate": "True", "unrated_chip_hours": "1.5"}  # fmt: skip
    assert (asked(server)["by"], asked(server)["tenant"]) == (["chip", "day"], ["demo"])
    assert json.loads(run_medley("usage", "-o", "json", environment=environment).stdout) == USAGE


@pytest.mark.parametrize("output", ["table", "json", "csv", "name"])
def test_finished_jobs_are_listed_in_each_format(server: ScriptedServer, tmp_path: Path, output: str) -> None:
    asking = ["history", "--from", "7d", "--state", "failed", "--state", "succeeded", "--user", "ann", "-o", output]
    result = run_medley(*asking, environment=logged_in(server, tmp_path))
    assert result.returncode == 0, result.stderr
    assert JOB_ID in result.stdout
    query = asked(server)
    assert (query["state"], query["user"]) == (["failed", "succeeded"], ["ann"])
    assert query["from"][0].endswith("Z")
    if output == "table":
        assert {"WAITED", "RAN", "succeeded"} <= set(result.stdout.split())


@pytest.mark.parametrize(
    "arguments", [["usage", "--from", "yesterday"], ["history", "--to", "7 days"], ["history", "--limit", "0"]]
)
def test_what_is_no_time_is_refused_with_what_would_be_one(
    server: ScriptedServer, tmp_path: Path, arguments: list[str]
) -> None:
    result = run_medley(*arguments, environment=logged_in(server, tmp_path))
    assert result.returncode == 2
    assert "next:" in result.stderr
