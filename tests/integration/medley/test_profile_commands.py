"""`medley profile`, against a server that speaks the wire contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medley.answers import Json
from tests.builders.command import Reply, ScriptedServer, a_scripted_server, logged_in, run_medley

TIMES: Json = {
    "layer_forward_s": 0.0121, "layer_backward_s": 0.0246, "embedding_s": None, "head_s": 0.031, "update_s": None,
}  # fmt: skip
KNOWN: Json = {
    "tenant": "demo", "family": "llama", "chip": "h100-sxm", "tensor_parallel": 8, "micro_batch": 2, "times": TIMES,
    "measured": None, "reports": 0, "said": TIMES, "version": 1, "at": "2026-01-01T00:00:00Z",
}  # fmt: skip
PATH = "/v1/profiles/demo/llama/h100-sxm/8/2"
ONE = ("demo", "llama", "h100-sxm", "8", "2")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as server:
        server.on("GET /v1/profiles", Reply(body={"items": [KNOWN, {**KNOWN, "family": "gpt"}], "next": None}))
        server.on(f"PUT {PATH}", Reply(body=KNOWN))
        server.on(f"DELETE {PATH}", Reply(204))
        yield server


def test_profiles_are_listed_set_and_forgotten(server: ScriptedServer, tmp_path: Path) -> None:
    environment = logged_in(server, tmp_path)
    listed = run_medley("profile", "ls", environment=environment)
    assert listed.returncode == 0, listed.stderr
    assert "llama" in listed.stdout
    assert "gpt" in listed.stdout
    assert "12.1" in listed.stdout
    figures = ("--forward-s", "0.0121", "--backward-s", "0.0246", "--head-s", "0.031")
    said = run_medley("profile", "set", *ONE, *figures, environment=environment)
    assert said.returncode == 0, said.stderr
    assert [asked.body for asked in server.asked(f"PUT {PATH}")] == [TIMES]
    gone = run_medley("profile", "rm", *ONE, environment=environment)
    assert gone.returncode == 0, gone.stderr
    assert len(server.asked(f"DELETE {PATH}")) == 1


def test_one_family_is_listed_by_its_name(server: ScriptedServer, tmp_path: Path) -> None:
    listed = run_medley("profile", "--family", "gpt", environment=logged_in(server, tmp_path))
    assert listed.returncode == 0, listed.stderr
    assert "gpt" in listed.stdout
    assert "llama" not in listed.stdout
