"""`medley check`: whether the server decides on what its database holds."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from medley.answers import Json
from tests.builders.command import Reply, ScriptedServer, a_problem, a_scripted_server, logged_in, run_medley

PATH = "GET /v1/scheduler/check"
FINE: Json = {
    "change": 7,
    "is_ok": True,
    "is_equal": True,
    "digest_in_memory": "a" * 64,
    "digest_of_database": "a" * 64,
    "differences": [],
    "capacity_errors": [],
    "text": "At change 7 the state in memory is what the database holds.",
    "next": None,
}
FAULTY = FINE | {
    "is_ok": False,
    "is_equal": False,
    "digest_of_database": "b" * 64,
    "differences": ["job x is in memory only"],
    "capacity_errors": ["node mixed/n1: 2 of pods are counted, live attempts hold 1"],
    "text": "At change 7 the state in memory differs from the database in 1 part.",
    "next": "restart this server",
}
FAULTS = (*FAULTY["differences"], *FAULTY["capacity_errors"])


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as opened:
        yield opened


def test_where_all_is_well_it_says_so(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(PATH, Reply(body=FINE))
    ended = run_medley("check", environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout) == (0, f"{FINE['text']}\n")
    assert "memory aaaaaaaaaaaa, database aaaaaaaaaaaa" in ended.stderr


def test_every_fault_is_listed_and_the_exit_code_says_that_there_are_some(
    server: ScriptedServer, tmp_path: Path
) -> None:
    server.on(PATH, Reply(body=FAULTY))
    ended = run_medley("check", environment=logged_in(server, tmp_path))
    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [FAULTY["text"], *(f"  - {fault}" for fault in FAULTS)]
    assert "next: restart this server" in ended.stderr


@pytest.mark.parametrize(("found", "want"), [(FINE, (0, "ok\n")), (FAULTY, (1, "faulty\n"))])
def test_scripts_get_json_or_a_word(server: ScriptedServer, tmp_path: Path, found: Json, want: tuple[int, str]) -> None:
    server.on(PATH, Reply(body=found))
    ended = run_medley("check", "-o", "name", environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout) == want
    as_json = run_medley("check", "-o", "json", environment=logged_in(server, tmp_path))
    assert (as_json.returncode, json.loads(as_json.stdout)) == (want[0], found)


def test_who_may_not_check_is_told_so(server: ScriptedServer, tmp_path: Path) -> None:
    server.on(PATH, Reply(403, a_problem(403, "forbidden", next="ask an operator")))
    ended = run_medley("check", environment=logged_in(server, tmp_path))
    assert (ended.returncode, "ask an operator" in ended.stderr) == (4, True)
