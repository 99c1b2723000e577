"""`medley drain` and `medley undrain`, against a server that speaks the wire contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medley.answers import Json
from tests.builders.command import Reply, ScriptedServer, a_problem, a_scripted_server, logged_in, run_medley

HELD = [{"tenant": "demo", "job": None, "chip": "h100-sxm", "devices": 2, "share": None, "slots": [0, 1]}]


def a_node(name: str, **changes: object) -> Json:
    cluster, _, short = name.rpartition("/")
    node: Json = {
        "cluster": cluster, "name": short, "state": "ready", "text": "takes new work", "note": "", "drain": None,
        "topology": {}, "devices": [], "cpu_milli": 1000, "cpu_milli_held": 0, "memory_mib": 1024,
        "memory_mib_held": 0, "holdings": [],
    }  # fmt: skip
    return node | changes


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as server:
        clusters = [{"name": "east", "kind": "local"}, {"name": "west", "kind": "local"}]
        server.on("GET /v1/clusters", Reply(body={"items": clusters}))
        nodes = [a_node("east/n1"), a_node("east/n2"), a_node("west/n2")]
        server.on("GET /v1/nodes", Reply(body={"items": nodes, "next": None}))
        drain = {"by": "ada", "at": "2026-01-01T00:00:00Z", "note": "fan"}
        drained = a_node("east/n1", state="drained", drain=drain, holdings=HELD, cpu_milli_held=1)
        server.on("PUT /v1/nodes/east/n1/drain", Reply(body=drained))
        server.on("PUT /v1/nodes/west/n2/drain", Reply(body=a_node("west/n2", state="drained", drain=drain)))
        server.on("DELETE /v1/nodes/east/n1/drain", Reply(body=a_node("east/n1", state="suspect", note="silent")))
        yield server


def test_nodes_are_drained_by_name_or_by_cluster_and_name(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("drain", "n1", "west/n2", "--note", "fan", environment=logged_in(server, tmp_path))
    assert made.returncode == 0, made.stderr
    assert "drained by ada: fan" in made.stdout
    assert "goes on: n1 (demo 2); next: medley undrain east/n1 west/n2" in made.stderr
    for node in ("east/n1", "west/n2"):
        assert [asked.body for asked in server.asked(f"PUT /v1/nodes/{node}/drain")] == [{"note": "fan"}]


def test_undraining_says_what_the_cluster_says_all_the_same(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("undrain", "east/n1", environment=logged_in(server, tmp_path))
    assert made.returncode == 0, made.stderr
    assert "east/n1 is suspect all the same" in made.stderr
    assert server.asked("GET /v1/clusters") == []


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ("drain", 2, "medley nodes lists them"),
        ("drain n1 n2", 2, "say which: east/n2, west/n2"),
        ("drain n1 n9", 3, "no node `n9`"),
        ("undrain a/b/c", 3, "no node `a/b/c`"),
    ],
)
def test_nothing_is_drained_where_one_name_is_not_clear(
    server: ScriptedServer, tmp_path: Path, line: str, status: int, says: str
) -> None:
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (status, "")
    assert says in made.stderr
    assert server.asked("PUT /v1/nodes/east/n1/drain") == []


def test_who_may_not_is_told_so(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("PUT /v1/nodes/east/n1/drain", Reply(403, a_problem(403, "forbidden")))
    assert run_medley("drain", "east/n1", environment=logged_in(server, tmp_path)).returncode == 4
