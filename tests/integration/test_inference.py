"""Servers the whole way: the guide's commands on a real server, replicas that die, scaling, quotas, cancelling."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.eventually import eventually
from tests.builders.guide import blocks
from tests.builders.server import ROOT, Api, ServerProcess, server_on_the_mixed_cluster

GUIDE = "docs/inference.md"
SERVE = "exec python -m http.server --bind $MEDLEY_HOST $MEDLEY_PORT"
SERVER: dict[str, Any] = {
    "kind": "inference",
    "workers": 1,
    "chips": "h100-sxm",
    "memory_mib": 256,
    "grace_s": 1,
    "readiness_path": "/",
    "command": ["sh", "-c", SERVE],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server_on_the_mixed_cluster(tmp_path_factory.mktemp("inference")) as server:
        yield server


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with Api(server.address, server.tenant("serving")) as connection:
        yield connection


def replicas(api: Api, job: str) -> Any:
    return api.want(200, "GET", f"/v1/jobs/{job}/replicas")


def all_ready(api: Api, job: str, count: int) -> list[Any]:
    def look() -> list[Any] | None:
        found = replicas(api, job)
        serve = [item for item in found["items"] if item["is_ready"]]
        return serve if len(serve) == found["wanted"] == count == len(found["items"]) else None

    return eventually(look, within_s=90, what=f"{count} replicas of {job} are ready") or []


def of_version(api: Api, job: str, version: int, count: int) -> list[Any]:
    def look() -> list[Any] | None:
        found = [item for item in replicas(api, job)["items"] if item["is_ready"] and item["version"] == version]
        return found if len(found) == count else None

    return eventually(look, within_s=90, what=f"{count} replicas of {job} are ready at version {version}") or []


def ended(api: Api, job: str) -> Any:
    def look() -> Any:
        found = api.want(200, "GET", f"/v1/jobs/{job}")
        return found if found["finished_at"] else None

    return eventually(look, within_s=60, what=f"{job} is over")


def status_at(address: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_commands_of_the_guide_do_what_it_says(server: ServerProcess, api: Api, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MEDLEY_ADDRESS": server.address,
        "MEDLEY_TOKEN": server.tenant("serving"),
        "MEDLEY_CONFIG": str(tmp_path / "config"),
    }

    def do(line: str) -> str:
        made = subprocess.run(
            ["sh", "-c", line], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert made.returncode == 0, (line, made.stdout, made.stderr)
        return made.stdout + made.stderr

    submit, listed, ask, more, fewer, renewed = (block.text.strip() for block in blocks(GUIDE) if block.kind == "sh")
    do(submit)
    job = api.want(200, "GET", "/v1/jobs?name=chat")["items"][0]["id"]
    first = all_ready(api, job, 2)
    said = do(listed)
    assert "2 of 2 replicas ready" in said
    assert all(item["address"] in said for item in first)
    assert set(json.loads(do(ask))) == {"text", "tokens", "weights"}
    assert "is to have 3 replicas" in do(more)
    assert {item["address"] for item in first} < {item["address"] for item in all_ready(api, job, 3)}
    do(fewer)
    (left,) = all_ready(api, job, 1)
    assert left["address"] == first[0]["address"]
    assert "is at version 1" in do(renewed)  # the same file is the same version
    other = tmp_path / "other.yaml"
    other.write_text((ROOT / "examples" / "jobs" / "chat.yaml").read_text("utf-8") + "serve: {seed: 2}\n", "utf-8")
    assert "is at version 2" in do(f"medley replace chat {other}")
    (left,) = of_version(api, job, 2, 1)
    shown = do("medley show chat")
    assert "1 of 1 ready" in shown
    assert left["address"] in shown
    do("medley logs chat --replica 0")
    assert "1 of 1 replica ready" in do("medley ls")
    do("medley cancel chat")
    assert ended(api, job)["state"] == "cancelled"


def test_a_replica_that_dies_comes_back_and_the_others_stay(server: ServerProcess, api: Api) -> None:
    job = api.want(201, "POST", "/v1/jobs", {**SERVER, "name": "dies", "replicas": 2})["id"]
    before = all_ready(api, job, 2)
    victim = f"{server.data_folder}/workers/"
    killed = kill_worker(victim, before[0]["attempt"])
    assert killed

    def back() -> list[Any] | None:
        serve = [item for item in replicas(api, job)["items"] if item["is_ready"]]
        return serve if len(serve) == 2 and serve[0]["attempts"] == 2 else None

    after = eventually(back, within_s=60, what="the replica is back") or []
    assert (after[0]["failures"], after[1]["attempt"]) == (1, before[1]["attempt"])
    assert {status_at(item["address"]) for item in after} == {200}
    assert api.want(200, "GET", f"/v1/jobs/{job}")["state"] == "running"
    api.want(200, "POST", f"/v1/jobs/{job}/cancel")
    ended(api, job)


def kill_worker(folder: str, attempt: str) -> list[int]:
    """Kill the processes of an attempt's worker the hard way, but not its supervisor."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            environment = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if folder in environment and f"/{attempt}/" in environment and "MEDLEY_PORT=" in environment:
            found.append(int(entry.name))
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return found


def test_a_new_version_comes_replica_by_replica_while_the_others_serve(api: Api) -> None:
    body = {**SERVER, "name": "rolls", "replicas": 3}
    job = api.want(201, "POST", "/v1/jobs", body)["id"]
    all_ready(api, job, 3)
    changed = {**body, "environment": {"COLOUR": "blue"}, "replicas": 1}
    assert api.want(200, "PUT", f"/v1/jobs/{job}/version", changed)["version"] == 2
    least = 3

    def done() -> bool:
        nonlocal least
        found = replicas(api, job)
        least = min(least, found["ready"])
        assert found["wanted"] == 3
        return found["ready"] == 3 and {item["version"] for item in found["items"]} == {2}

    eventually(done, within_s=90, what="all replicas are at version 2")
    assert least == 2
    refused = api.want(422, "PUT", f"/v1/jobs/{job}/version", {**changed, "workers": 2, "port": 9})
    assert [error["pointer"] for error in refused["errors"]] == ["/workers", "/port"]
    api.want(200, "POST", f"/v1/jobs/{job}/cancel")
    ended(api, job)


def test_a_replica_that_ends_well_is_started_again_later_each_time(api: Api) -> None:
    job = api.want(201, "POST", "/v1/jobs", {**SERVER, "name": "ends", "command": ["true"]})["id"]

    def twice() -> Any:
        (replica,) = replicas(api, job)["items"]
        return replica if replica["failures"] >= 2 else None

    replica = eventually(twice, within_s=60, what="it was started twice")
    assert replica["stop_reason"] == "server-ended"
    api.want(200, "POST", f"/v1/jobs/{job}/cancel")
    assert ended(api, job)["state"] == "cancelled"


def test_replicas_beyond_the_quota_wait_and_say_so(server: ServerProcess) -> None:
    with server.operator() as operator, Api(server.address, server.tenant("little")) as api:
        operator.want(200, "PUT", "/v1/tenants/little/quotas/h100-sxm", {"devices": 1})
        job = api.want(201, "POST", "/v1/jobs", {**SERVER, "name": "little", "replicas": 2})["id"]

        def one_waits() -> Any:
            found = replicas(api, job)
            return found if found["ready"] == 1 else None

        found = eventually(one_waits, within_s=60, what="one replica is ready")
        waiting = next(item for item in found["items"] if item["state"] == "queued")
        assert [reason["code"] for reason in waiting["reasons"]] == ["quota-exceeded"]
        operator.want(200, "PUT", "/v1/tenants/little/quotas/h100-sxm", {"devices": 2})
        all_ready(api, job, 2)
        api.want(200, "POST", f"/v1/jobs/{job}/cancel")
        ended(api, job)


def test_what_makes_no_sense_is_refused_where_it_stands(api: Api) -> None:
    training = api.want(201, "POST", "/v1/jobs", {"name": "t", "workers": 1, "chips": "h100-sxm", "command": ["true"]})
    for body, pointer in (
        ({**SERVER, "name": "x", "retries": 1}, "/retries"),
        ({**SERVER, "name": "x", "time_limit_s": 9}, "/time_limit_s"),
        ({**SERVER, "name": "x", "training": {}, "command": None}, "/training"),
        ({**SERVER, "name": "x", "replicas": 0}, "/replicas"),
        ({**SERVER, "name": "x", "replicas": 257}, "/replicas"),
        ({**SERVER, "name": "x", "port": 65_536}, "/port"),
        ({**SERVER, "name": "x", "readiness_path": "ready\r\nX: y"}, "/readiness_path"),
        ({**SERVER, "name": "x", "serve": {}}, "/command"),
        ({**SERVER, "name": "x", "command": None, "serve": {"training": training["id"]}}, "/serve/training"),
        ({"name": "x", "workers": 1, "chips": "h100-sxm", "replicas": 2}, "/replicas"),
        ({"name": "x", "workers": 1, "chips": "h100-sxm", "port": 80}, "/port"),
    ):
        refused = api.want(422, "POST", "/v1/jobs", body)
        assert [error["pointer"] for error in refused["errors"]] == [pointer], (body, refused)
    asked: list[tuple[str, str, Any]] = [("GET", "replicas", None), ("PATCH", "replicas", {"replicas": 1})]
    for method, path, sent in [*asked, ("PUT", "version", {**SERVER, "name": "t"})]:
        assert api.want(409, method, f"/v1/jobs/{training['id']}/{path}", sent)["code"] == "no-server"
    for body in ({"replicas": 0}, {"replicas": 257}, {"replicas": True}, {}, {"replicas": 1, "more": 1}):
        api.want(422, "PATCH", f"/v1/jobs/{training['id']}/replicas", body)
    api.want(404, "PATCH", "/v1/jobs/00000000000000zz/replicas", {"replicas": 1})
    job = api.want(201, "POST", "/v1/jobs", {**SERVER, "name": "over"})["id"]
    api.want(200, "POST", f"/v1/jobs/{job}/cancel")
    ended(api, job)
    assert api.want(409, "PATCH", f"/v1/jobs/{job}/replicas", {"replicas": 2})["code"] == "job-over"
