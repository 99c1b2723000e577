"""Commands that go on: follow, logs and events, as processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.command import (
    END_EVENT,
    JOB_ID,
    RUN_TIME_LIMIT_S,
    Reply,
    ScriptedServer,
    a_job,
    a_report,
    a_scripted_server,
    an_attempt,
    an_event,
    logged_in,
    run_in_window,
    run_medley,
)
from tests.builders.eventually import eventually

JOB = f"/v1/jobs/{JOB_ID}"
RUNNING = a_job(state="running", attempts=[an_attempt()], progress=a_report(1, 5.5))
SUCCEEDED = RUNNING | {
    "state": "succeeded", "finished_at": "2026-01-01T00:01:00Z", "progress": a_report(60, 2.3),
}  # fmt: skip
CHECKOUT = Path(__file__).parents[3]


def _log(attempt: int, *pieces: tuple[int, str], is_complete: bool = False) -> Reply:
    entries = [{"attempt": attempt, "rank": rank, "text": text, "skipped_bytes": 0} for rank, text in pieces]
    return Reply(body={"entries": entries, "next": f"{attempt}.c", "is_complete": is_complete})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server with one running job."""
    with a_scripted_server() as server:
        server.on("GET /v1/jobs", Reply(body={"items": [RUNNING], "next": None}))
        server.on(f"GET {JOB}", Reply(body=RUNNING))
        server.on(f"GET {JOB}/events", Reply(stream=[an_event(1, "job-submitted", "queued")]))
        server.on(f"GET {JOB}/logs", _log(1, (0, "one\n"), (1, "two\nthr")), _log(1))
        server.on(f"GET {JOB}/progress", Reply(body={"items": [a_report(1, 5.5), a_report(60, 2.3)]}))
        yield server


def test_a_followed_submission_ends_with_its_result(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("POST /v1/jobs", Reply(201, a_job()))
    server.on(f"GET {JOB}", Reply(body=RUNNING), Reply(body=SUCCEEDED))
    arguments = ("submit", "examples/jobs/first-training.yaml", "--follow")
    ended = run_medley(*arguments, environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "   1  mixed/amd-1     mi300x    4\n" in ended.stdout
    assert "rank 1: mixed/amd-1, only node with a free mi300x" in ended.stdout
    assert "loss fell from 5.5000 to 2.3000 in steps 1 to 60 of 60" in ended.stdout
    assert ended.stdout.endswith("rank 1: mixed/amd-1, only node with a free mi300x\n")


def test_following_with_json_keeps_stdout_for_the_job(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(f"GET {JOB}", Reply(body=RUNNING), Reply(body=SUCCEEDED))
    ended = run_medley("follow", JOB_ID, "-o", "json", environment=logged_in(server, tmp_path))
    assert (ended.returncode, json.loads(ended.stdout)) == (0, SUCCEEDED)
    assert "loss fell" in ended.stderr


@pytest.mark.parametrize(
    ("line", "route", "want"),
    [
        ("follow first", f"GET {JOB}", f"Come back with: medley follow {JOB_ID}"),
        ("wait first", f"GET {JOB}", f"Come back with: medley wait {JOB_ID}"),
        ("logs -f first", f"GET {JOB}/logs", f"Come back with: medley logs -f {JOB_ID}"),
        ("events -f first", f"GET {JOB}/events", f"medley events {JOB_ID} -f --after 1 goes on from here"),
    ],
)
def test_ctrl_c_detaches_and_says_how_to_come_back(
    server: ScriptedServer, tmp_path: Path, line: str, route: str, want: str
) -> None:
    following = subprocess.Popen(
        [sys.executable, "-m", "medley", *line.split()],
        cwd=CHECKOUT,
        encoding="utf-8",
        env={"PATH": os.environ["PATH"], **logged_in(server, tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    with following:
        eventually(lambda: len(server.asked(route)) >= 3, within_s=RUN_TIME_LIMIT_S)
        following.send_signal(signal.SIGINT)
        _, talk = following.communicate(timeout=RUN_TIME_LIMIT_S)
    assert following.returncode == 130
    assert want in talk
    assert "Traceback" not in talk
    assert not server.asked(f"POST {JOB}/cancel")


def test_logs_of_several_ranks_are_told_apart(server: ScriptedServer, tmp_path: Path) -> None:
    ended = run_medley("logs", "first", environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout) == (0, "0 | one\n1 | two\n1 | thr\n")


def test_logs_of_one_rank_are_printed_as_they_are(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(f"GET {JOB}/logs", _log(3, (1, "two\n"), is_complete=True))
    ended = run_medley("logs", "first", "--rank", "1", "--attempt", "3", environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout) == (0, "two\n")
    assert server.asked(f"GET {JOB}/logs")[0].query == {"rank": ["1"], "attempt": ["3"]}


def test_followed_logs_go_on_over_a_second_attempt(server: ScriptedServer, tmp_path: Path) -> None:
    pages = _log(1, (0, "one\n")), _log(1), _log(1, (0, "rest")), _log(2, (0, "again\n"), is_complete=True)
    server.on(f"GET {JOB}/logs", *pages)
    ended = run_medley("logs", JOB_ID, "-f", "--rank", "0", environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout) == (0, "one\nrest\nagain\n")
    assert ended.stderr == "--- attempt 2 ---\n"
    cursors = [request.query.get("cursor") for request in server.asked(f"GET {JOB}/logs")]
    assert cursors == [None, ["1.c"], ["1.c"], ["1.c"]]


def test_a_job_that_never_ran_has_no_logs_but_a_next_command(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(f"GET {JOB}", Reply(body=a_job()))
    ended = run_medley("logs", JOB_ID, environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == f"first is queued and has not run yet\nnext: medley why {JOB_ID}\n"


def test_a_job_that_printed_nothing_says_so(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(f"GET {JOB}", Reply(body=a_job(state="running", attempts=[an_attempt()])))
    server.on(f"GET {JOB}/logs", Reply(body={"entries": [], "next": "a", "is_complete": True}))
    ended = run_medley("logs", JOB_ID, environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "first has printed nothing so far\n")


def test_followed_events_end_with_the_job_over_a_broken_stream(server: ScriptedServer, tmp_path: Path) -> None:
    route = f"GET {JOB}/events"
    server.on(
        route,
        Reply(stream=[an_event(5, "job-submitted", "queued")]),
        Reply(is_dropped=True),
        Reply(stream=[an_event(8, "group-moved", "succeeded"), END_EVENT]),
    )
    ended = run_medley("events", "first", "-f", "-o", "json", environment=logged_in(server, tmp_path))
    assert ended.returncode == 0
    assert [json.loads(line)["number"] for line in ended.stdout.splitlines()] == [5, 8]
    assert [request.headers.get("Last-Event-ID") for request in server.asked(route)] == [None, "5", "5"]


def test_recorded_events_are_printed_and_no_more_is_waited_for(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("GET /v1/events", Reply(stream=[an_event(5, "job-submitted", "queued"), an_event(6, "group-placed")]))
    ended = run_medley("events", "--after", "4", environment=logged_in(server, tmp_path))
    assert ended.returncode == 0
    assert [line.split()[0] for line in ended.stdout.splitlines()] == ["5", "6"]
    assert [request.headers["Last-Event-ID"] for request in server.requests] == ["4"]


def test_logs_as_json_are_the_pieces_as_they_came(server: ScriptedServer, tmp_path: Path) -> None:
    ended = run_medley("logs", "first", "-o", "json", environment=logged_in(server, tmp_path))
    pieces = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(piece["rank"], piece["text"]) for piece in pieces] == [(0, "one\n"), (1, "two\nthr")]


def test_output_of_workers_obeys_nothing_on_a_terminal_and_is_unchanged_in_a_pipe(
    server: ScriptedServer, tmp_path: Path
) -> None:
    text = "\x1b[2J\x1b]0;title\x07 \x1b[32mgreen\x1b[0m\n"
    server.on(f"GET {JOB}/logs", _log(1, (0, text), is_complete=True))
    environment = logged_in(server, tmp_path)
    assert run_medley("logs", "first", "--rank", "0", environment=environment).stdout == text
    shown = run_in_window("logs", "first", "--rank", "0", columns=80, environment=environment)
    assert shown == "␛[2J␛]0;title␇ green\n"


def test_events_of_a_server_that_is_not_there_are_given_up_soon(tmp_path: Path) -> None:
    with a_scripted_server() as gone:
        environment = logged_in(gone, tmp_path)
    began_s = time.monotonic()
    ended = run_medley("events", "-f", environment=environment)
    assert (ended.returncode, ended.stdout) == (6, "")
    assert time.monotonic() - began_s < 20


def test_a_stream_that_breaks_says_that_it_connects_again(server: ScriptedServer, tmp_path: Path) -> None:
    stream = Reply(stream=[an_event(8, "group-moved", "succeeded"), END_EVENT])
    server.on(f"GET {JOB}/events", Reply(stream=[b"id: 7\n\n"]), Reply(is_dropped=True), stream)
    ended = run_medley("events", "first", "-f", "-o", "name", environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout) == (0, "8\n")
    assert "the event stream ended; connecting again" in ended.stderr
