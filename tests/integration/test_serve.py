"""Starting a server: on PostgreSQL, on changed inventories, and what keeps it from starting."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.builders.eventually import eventually
from tests.builders.otlp import receiving
from tests.builders.server import ROOT, Api, ServerProcess, strays
from tests.builders.telemetry import scrape, value
from tests.postgres import FAST, running_postgres

NODE_TYPE = "{devices: {t4: %d}, cpu_cores: 8, memory_gib: 8}"
FINAL = ("succeeded", "failed", "cancelled")


def write_inventory(path: Path, cluster: str, *, devices: int) -> Path:
    path.write_text(f"cluster: {cluster}\nnode_types: {{one: {NODE_TYPE % devices}}}\nracks: {{r1: {{node: one}}}}\n")
    return path


def job(*argv: str, devices: int = 1) -> dict[str, Any]:
    return {"name": "job", "workers": 1, "chips": "t4", "devices_per_worker": devices, "memory_mib": 64, "grace_s": 1,
            "command": list(argv)}  # fmt: skip


def wait_for(api: Api, name: str, *states: str) -> Any:
    def look() -> Any:
        found = api.want(200, "GET", f"/v1/jobs/{name}")
        return found if found["state"] in states else None

    return eventually(look, within_s=40, what=f"{name} {states}")


def medley(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medley", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def serve(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return medley("serve", *options, **{"MEDLEY_LISTEN": "127.0.0.1:0", **environment})


def test_what_runs_on_a_cluster_that_is_declared_no_longer_is_seen_to_its_end(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", write_inventory(tmp_path / "old.yaml", "old", devices=2))
    server.start()
    token = server.tenant("team")
    with Api(server.address, token) as api:
        running = api.want(201, "POST", "/v1/jobs", job("sleep", "600"))["id"]
        ending = api.want(201, "POST", "/v1/jobs", job("sleep", "2"))["id"]
        wait_for(api, running, "running")
        wait_for(api, ending, "running")
    assert server.stop() == 0
    server.inventory = write_inventory(tmp_path / "new.yaml", "new", devices=1)
    server.start()
    try:
        with Api(server.address, token) as api, server.operator() as operator:
            assert wait_for(api, ending, *FINAL)["state"] == "succeeded"
            fresh = api.want(201, "POST", "/v1/jobs", job("true"))["id"]
            ended = wait_for(api, fresh, *FINAL)
            assert (ended["state"], ended["attempts"][-1]["workers"][0]["node"]) == ("succeeded", "new/node")
            api.want(200, "POST", f"/v1/jobs/{running}/cancel")
            assert wait_for(api, running, *FINAL)["state"] == "cancelled"
            assert [node["cluster"] for node in operator.want(200, "GET", "/v1/nodes")["items"]] == ["new"]
    finally:
        assert server.stop() == 0
    assert strays(server.data_folder) == []


def test_a_node_that_shrank_below_what_is_held_becomes_itself_once_that_is_free(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", write_inventory(tmp_path / "one.yaml", "one", devices=4))
    server.start()
    token = server.tenant("team")
    with Api(server.address, token) as api:
        held = api.want(201, "POST", "/v1/jobs", job("sleep", "600", devices=3))["id"]
        wait_for(api, held, "running")
    assert server.stop() == 0
    write_inventory(tmp_path / "one.yaml", "one", devices=2)
    server.start()
    try:
        with Api(server.address, token) as api:
            assert api.want(200, "GET", "/v1/nodes")["items"][0]["state"] == "drained"
            api.want(200, "POST", f"/v1/jobs/{held}/cancel")
            next_one = api.want(201, "POST", "/v1/jobs", job("true", devices=2))["id"]
            assert wait_for(api, next_one, *FINAL)["state"] == "succeeded"
            (node,) = api.want(200, "GET", "/v1/nodes")["items"]
            assert (node["state"], node["devices"][0]["count"]) == ("ready", 2)
    finally:
        assert server.stop() == 0


def test_what_is_kept_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    server = ServerProcess(
        data,
        write_inventory(tmp_path / "one.yaml", "one", devices=1),
        database=f"sqlite:///{elsewhere / 'medley.db'}",
    )
    server.start()
    try:
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (*elsewhere.iterdir(), *data.glob("*.*"))}
        assert {"medley.db", "medley.db-wal", "operator.token", "server.secret"} <= modes.keys()
        assert set(modes.values()) == {0o600}, modes
    finally:
        assert server.stop() == 0


def test_faults_at_the_start_are_said_in_a_sentence_with_what_to_do(tmp_path: Path) -> None:
    inventory = tmp_path / "bad.yaml"
    inventory.write_text(
        "cluster: one\nnode_types:\n  x: {devices: {h1000: 8}, cpu_cores: 8, memory_gib: 8}\nracks: {}\n"
    )
    scoring = tmp_path / "scoring.yaml"
    scoring.write_text("weights:\n  usabel: 1\n")
    (tmp_path / "file").write_text("")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "medley.db").write_text("this is no database, " * 100)
    data = str(tmp_path / "data")
    cases = {
        ("--data-folder", data, "--inventory", str(inventory)): (2, f"{inventory}:3:"),
        ("--data-folder", data, "--inventory", str(tmp_path / "none.yaml")): (2, "none.yaml"),
        ("--data-folder", data, "--scoring", str(scoring)): (2, f"{scoring}:2:"),
        ("--data-folder", data, "--database", "mysql://localhost/x"): (6, "mysql"),
        ("--data-folder", data, "--database", "postgresql://127.0.0.1:1/x"): (6, "127.0.0.1"),
        ("--data-folder", data, "--database", "sqlite:///relative.db"): (6, "absolute path"),
        ("--data-folder", str(tmp_path / "file" / "below")): (6, "file"),
        ("--data-folder", str(tmp_path / "damaged")): (6, "medley.db"),
        ("--data-folder", data, "--listen", "127.0.0.1:99999"): (2, "listen"),
        ("--data-folder", data, "--listen", "192.0.2.1:80"): (5, "192.0.2.1:80"),
    }
    for options, (status, words) in cases.items():
        ended = serve(*options)
        assert ended.returncode == status, (options, ended)
        assert words in ended.stderr, (options, ended.stderr)
        assert "next: " in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_wrong_interpreter_for_workers_is_named_at_the_start(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path / "one.yaml", "one", devices=1)
    options = ("--data-folder", str(tmp_path / "data"), "--inventory", str(inventory))
    ended = serve(*options, MEDLEY_RUNTIME_PYTHON=str(tmp_path / "no-python"))
    assert ended.returncode == 2
    assert "no-python is not a program" in ended.stderr


def test_a_lost_operator_token_is_replaced_while_the_server_is_stopped(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", write_inventory(tmp_path / "one.yaml", "one", devices=1))
    server.start()
    assert medley("operator-token", "--data-folder", str(server.data_folder)).returncode == 5
    assert server.stop() == 0
    first = server.operator_token
    (server.data_folder / "operator.token").unlink()
    assert medley("operator-token", "--data-folder", str(server.data_folder)).returncode == 0
    assert server.operator_token != first
    server.start()
    try:
        with server.operator() as operator:
            assert operator.want(200, "GET", "/v1/whoami")["role"] == "operator"
    finally:
        assert server.stop() == 0


def test_the_whole_way_works_on_postgresql_and_a_new_leader_ends_the_old_one(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path / "one.yaml", "one", devices=2)
    with running_postgres(*FAST) as postgres:
        url = postgres.create_database()
        first = ServerProcess(tmp_path / "first", inventory, database=url)
        second = ServerProcess(tmp_path / "second", inventory, database=url)
        first.start()
        check_the_way_on(first)
        second.start()
        try:
            eventually(lambda: first.exit_status() is not None, within_s=60, what="the old leader's end")
            assert first.exit_status() == 5
        finally:
            assert second.stop() == 0


def check_the_way_on(server: ServerProcess) -> None:
    """Run a job, and another one during which the server is killed and started again."""
    with Api(server.address, server.tenant("team")) as api:
        name = api.want(201, "POST", "/v1/jobs", job("echo", "hello"))["id"]
        assert wait_for(api, name, *FINAL)["state"] == "succeeded"
        assert api.want(200, "GET", f"/v1/jobs/{name}/logs")["entries"][0]["text"] == "hello\n"
        name = api.want(201, "POST", "/v1/jobs", job("sh", "-c", "sleep 1; exit 3"))["id"]
        wait_for(api, name, "running")
    server.kill()
    server.start()
    with server.operator() as api:
        ended = wait_for(api, name, *FINAL)
        assert (ended["state"], ended["attempts"][-1]["workers"][0]["exit_code"]) == ("failed", 3)


def test_a_server_tells_of_its_work_by_metrics_traces_and_log_lines(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    inventory = write_inventory(tmp_path / "one.yaml", "one", devices=2)
    with receiving() as receiver:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "MEDLEY_LOG_FORMAT": "json"}
        listen = f"127.0.0.1:{port}"
        server = ServerProcess(tmp_path / "data", inventory, metrics_listen=listen, environment=environment)
        server.start()
        try:
            with Api(server.address, server.tenant("team")) as api:
                asked = job("sh", "-c", "echo $TRACEPARENT")
                answer = api.call("POST", "/v1/jobs", asked, {"X-Request-Id": "the-one-request"})
                name = answer.body["id"]
                wait_for(api, name, *FINAL)
                traceparent = api.want(200, "GET", f"/v1/jobs/{name}/logs")["entries"][0]["text"].strip()
                assert api.call("GET", "/metrics").status == 404
            status, page = scrape(port)
            refused = serve("--metrics-listen", f"127.0.0.1:{port}", "--data-folder", str(tmp_path / "other"))
        finally:
            assert server.stop() == 0
    assert status == 200
    assert {name: value(page, name, labels) for name, labels in LABELS.items()} == FIGURES
    assert (refused.returncode, f"cannot listen on 127.0.0.1:{port}" in refused.stderr) == (5, True), refused.stderr
    assert "--metrics-listen" in refused.stderr
    (submitted,), (started,) = receiver.named("POST submit_job"), receiver.named("start gang")
    assert submitted.attributes["medley.request_id"] == "the-one-request"
    assert started.attributes["medley.job"] == name
    assert traceparent.split("-")[1:3] == [submitted.trace_id, submitted.span_id]
    assert submitted.trace_id == started.trace_id
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert lines
    assert all({"at", "level", "logger", "message"} <= json.loads(line).keys() for line in lines)


LABELS = {
    "medley_jobs_submitted_total": {"tenant": "team"},
    "medley_http_requests_total": {"operation": "submit_job", "status": "201"},
    "medley_decisions_total": {"outcome": "placed"},
    "medley_decision_latency_seconds_count": {},
    "medley_gangs_finished_total": {"tenant": "team", "state": "succeeded"},
    "medley_leader_epoch": {},
    "medley_devices": {"cluster": "one", "chip": "t4", "condition": "usable"},
    "medley_loop_failures": {"loop": "deciding"},
}
FIGURES = dict.fromkeys(LABELS, 1) | {"medley_devices": 2, "medley_loop_failures": 0}
