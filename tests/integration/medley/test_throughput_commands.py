"""`medley throughput` and `medley why --before`, against a server that speaks the wire contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medley.answers import Json
from tests.builders.command import Reply, ScriptedServer, a_scripted_server, logged_in, run_medley

KNOWN: Json = {
    "tenant": "demo", "family": "resnet", "chip": "h100-sxm", "units_per_s": 1200.0, "measured_per_s": None,
    "reports": 0, "set_per_s": 1200.0, "version": 1, "at": "2026-01-01T00:00:00Z",
}  # fmt: skip
PATH = "/v1/throughputs/demo/resnet/h100-sxm"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with a_scripted_server() as server:
        server.on("GET /v1/throughputs", Reply(body={"items": [KNOWN], "next": None}))
        server.on(f"PUT {PATH}", Reply(body=KNOWN))
        server.on(f"DELETE {PATH}", Reply(204))
        yield server


def test_throughputs_are_listed_set_and_forgotten(server: ScriptedServer, tmp_path: Path) -> None:
    environment = logged_in(server, tmp_path)
    listed = run_medley("throughput", "ls", environment=environment)
    assert listed.returncode == 0, listed.stderr
    assert "resnet" in listed.stdout
    assert "1200" in listed.stdout
    said = run_medley("throughput", "set", "demo", "resnet", "h100-sxm", "1200", environment=environment)
    assert said.returncode == 0, said.stderr
    assert [asked.body for asked in server.asked(f"PUT {PATH}")] == [{"units_per_s": 1200.0}]
    gone = run_medley("throughput", "rm", "demo", "resnet", "h100-sxm", environment=environment)
    assert gone.returncode == 0, gone.stderr
    assert len(server.asked(f"DELETE {PATH}")) == 1
