"""A server killed at random moments, while clients submit and workers run, keeps every promise."""

import contextlib
import http.client
import random
import sqlite3
import threading
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.builders.eventually import eventually
from tests.builders.server import Api, ServerProcess, strays

KILLS = 30
CLIENTS = 3
SEED = 20260101
SETTLE_WITHIN_S = 120
FINAL = {"succeeded", "failed", "cancelled"}

INVENTORY = """\
cluster: storm
node_types:
  big: {devices: {h100-sxm: 8}, cpu_cores: 64, memory_gib: 256}
  small: {devices: {mi300x: 4}, cpu_cores: 32, memory_gib: 128}
racks:
  r1: {"big-[1-3]": big}
  r2: {"small-[1-3]": small}
"""

WORKER = """
set -C
> "$MARKS/$MEDLEY_ATTEMPT-$MEDLEY_RANK" || { > "$MARKS/doubled-$MEDLEY_ATTEMPT-$MEDLEY_RANK"; exit 9; }
sleep "$DURATION"
"""


@dataclass
class History:
    """What the clients know."""

    jobs_by_key: dict[str, str] = field(default_factory=dict)
    workers_by_job: dict[str, int] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Client(threading.Thread):
    """Submits small jobs and repeats each submission under its key until it is acknowledged."""

    def __init__(self, server: ServerProcess, token: str, history: History, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._server, self._token, self._history, self._stopping = server, token, history, stopping
        self._random = random.Random(f"{SEED} {self.name}")

    def run(self) -> None:
        while not self._stopping.is_set():
            body, key = self._job(), str(uuid.uuid4())
            job = self._until_answered("POST", "/v1/jobs", body, {"Idempotency-Key": key})
            with self._history.lock:
                self._history.jobs_by_key[key] = job["id"]
                self._history.workers_by_job[job["id"]] = body["workers"]
            if self._random.random() < 0.1:
                self._until_answered("POST", f"/v1/jobs/{job['id']}/cancel", None, {})
                with self._history.lock:
                    self._history.cancelled.add(job["id"])
            self._stopping.wait(self._random.uniform(0, 0.5))

    def _job(self) -> dict[str, Any]:
        return {
            "name": "storm",
            "workers": self._random.choice([1, 1, 2, 3]),
            "chips": self._random.choice(["h100-sxm", ["mi300x", "h100-sxm"]]),
            "devices_per_worker": self._random.choice([1, 2, 4]),
            "memory_mib": 64,
            "grace_s": 1,
            "command": ["sh", "-c", WORKER],
            "environment": {
                "MARKS": str(self._server.data_folder / "marks"),
                "DURATION": f"{self._random.uniform(0, 0.8):.3f}",
            },
        }

    def _until_answered(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        """Repeat a call until it is answered; every answer must be a success."""
        while True:
            try:
                with Api(self._server.address, self._token) as api:
                    answer = api.call(method, path, body, headers)
            except (OSError, http.client.HTTPException):
                self._stopping.wait(0.02)
                continue
            if answer.status not in (200, 201):
                self._history.problems.append(f"{method} {path}: {answer.status} {answer.body}")
            return answer.body


HELD = """
    SELECT allocations.node_id, count(*), sum(allocations.cpu_milli), sum(allocations.memory_mib)
    FROM allocations JOIN attempts ON attempts.id = allocations.attempt_id
    WHERE attempts.state IN ('placed', 'starting', 'running', 'stopping')
    GROUP BY allocations.node_id
"""
COUNTED = """
    SELECT node_id, max(used) FILTER (WHERE resource = 'pods'), max(used) FILTER (WHERE resource = 'cpu_milli'),
           max(used) FILTER (WHERE resource = 'memory_mib')
    FROM node_resources GROUP BY node_id HAVING max(used) > 0
"""
HELD_DEVICES = """
    SELECT allocations.node_id, allocations.chip, 1000 * sum(json_array_length(allocations.slots))
    FROM allocations JOIN attempts ON attempts.id = allocations.attempt_id
    WHERE attempts.state IN ('placed', 'starting', 'running', 'stopping')
    GROUP BY allocations.node_id, allocations.chip
"""
COUNTED_DEVICES = """
    SELECT node_id, substr(resource, 15), used FROM node_resources WHERE resource LIKE 'devices_milli/%' AND used > 0
"""
SLOTS_HELD = """
    SELECT node_id, chip, sum(used_milli) FROM device_slots WHERE used_milli > 0 GROUP BY node_id, chip
"""
HELD_BY_QUEUE = """
    SELECT jobs.queue, allocations.chip, sum(json_array_length(allocations.slots))
    FROM allocations JOIN attempts ON attempts.id = allocations.attempt_id
    JOIN groups ON groups.id = attempts.group_id JOIN jobs ON jobs.id = groups.job_id
    WHERE attempts.state IN ('placed', 'starting', 'running', 'stopping')
    GROUP BY jobs.queue, allocations.chip
"""
COUNTED_BY_QUEUE = """
    SELECT queue, chip, devices_milli / 1000 FROM queue_usage WHERE devices_milli > 0 AND chip != 'compute'
"""
COMPUTE_HELD = """
    SELECT jobs.queue, sum(allocations.compute_milli)
    FROM allocations JOIN attempts ON attempts.id = allocations.attempt_id
    JOIN groups ON groups.id = attempts.group_id JOIN jobs ON jobs.id = groups.job_id
    WHERE attempts.state IN ('placed', 'starting', 'running', 'stopping')
    GROUP BY jobs.queue
"""
COMPUTE_COUNTED = "SELECT queue, devices_milli FROM queue_usage WHERE devices_milli > 0 AND chip = 'compute'"
SLOTS_OF_THE_DEAD = """
    SELECT device_slots.* FROM device_slots LEFT JOIN attempts ON attempts.id = device_slots.holder_attempt
    WHERE device_slots.used_milli > 0
      AND (attempts.state IS NULL OR attempts.state NOT IN ('placed', 'starting', 'running', 'stopping'))
"""


def check_capacity(data_folder: Path) -> None:
    """Read the tables as they lie on the disk: nothing is over-allocated, and counters equal what is held."""
    with contextlib.closing(sqlite3.connect(f"file:{data_folder / 'medley.db'}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT * FROM node_resources WHERE used < 0 OR used > allocatable")
        assert rows.fetchall() == []
        assert connection.execute(SLOTS_OF_THE_DEAD).fetchall() == []
        pairs = ((HELD, COUNTED), (HELD_DEVICES, COUNTED_DEVICES), (HELD_DEVICES, SLOTS_HELD))
        by_queue = ((HELD_BY_QUEUE, COUNTED_BY_QUEUE), (COMPUTE_HELD, COMPUTE_COUNTED))
        for held, counted in (*pairs, *by_queue):
            assert sorted(connection.execute(held).fetchall()) == sorted(connection.execute(counted).fetchall())


@pytest.mark.timeout(600)
def test_a_server_killed_thirty_times_loses_doubles_and_leaves_nothing(tmp_path: Path) -> None:
    inventory = tmp_path / "storm.yaml"
    inventory.write_text(INVENTORY)
    server = ServerProcess(tmp_path / "data", inventory)
    chance, history, stopping = random.Random(SEED), History(), threading.Event()
    server.start()
    (server.data_folder / "marks").mkdir()
    token = server.tenant("storm")
    clients = [Client(server, token, history, stopping) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for _ in range(KILLS):
            stopping.wait(chance.uniform(0.05, 1.0))
            server.kill()
            check_capacity(server.data_folder)
            server.start()
        stopping.set()
        for client in clients:
            client.join(60)
        assert not any(client.is_alive() for client in clients)
        check_outcome(server, token, history)
    finally:
        stopping.set()
        server.stop()
    check_capacity(server.data_folder)
    eventually(lambda: not strays(server.data_folder), within_s=60, what="no stray worker")


def check_outcome(server: ServerProcess, token: str, history: History) -> None:
    """Wait until every acknowledged job has ended, and judge how."""
    assert history.problems == []
    assert len(history.jobs_by_key) >= KILLS, "too few jobs were acknowledged for the kills to mean anything"
    api = Api(server.address, token)
    deadline = time.monotonic() + SETTLE_WITHIN_S
    jobs = {}
    for job in history.jobs_by_key.values():
        within_s = max(1.0, deadline - time.monotonic())
        jobs[job] = eventually(partial(ended, api, job), within_s=within_s, what=f"the end of {job}")
    listed: list[str] = []
    cursor = ""
    while True:
        page = api.want(200, "GET", f"/v1/jobs?limit=200{cursor}")
        listed += [job["id"] for job in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    api.close()
    assert sorted(listed) == sorted(history.jobs_by_key.values()), "acknowledged jobs and kept jobs differ"
    for name, job in jobs.items():
        want = {"cancelled", "succeeded"} if name in history.cancelled else {"succeeded"}
        assert job["state"] in want, job
    check_marks(server.data_folder / "marks", jobs, history)


def ended(api: Api, job: str) -> Any:
    """Return the job once it has ended, else None."""
    found = api.want(200, "GET", f"/v1/jobs/{job}")
    return found if found["state"] in FINAL else None


def check_marks(folder: Path, jobs: dict[str, Any], history: History) -> None:
    """Judge by what the workers themselves wrote down: each ran once, and all of those that succeeded did."""
    marks = {path.name for path in folder.iterdir()}
    assert not [mark for mark in marks if mark.startswith("doubled")]
    for name, job in jobs.items():
        if job["state"] == "succeeded":
            assert job["retries_used"] == 0
            attempt = job["attempts"][-1]["id"]
            for rank in range(history.workers_by_job[name]):
                assert f"{attempt}-{rank}" in marks, f"{attempt} rank {rank} is said to have ended well and never ran"
