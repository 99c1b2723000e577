"""Reading logs of a cluster that hangs takes nothing from anybody else."""

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from scheduler.core.model.identifiers import WorkerKey
from scheduler.core.model.tenant import Role
from scheduler.ports.cluster import LogChunk
from tests.builders.api import JOB, ApiWorld, serve
from tests.builders.eventually import eventually

READERS = 50


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str | None
    document: Any


def ask(address: str, method: str, path: str, token: str, body: Mapping[str, Any] | None = None) -> Answer:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    answer = Answer(response.status, response.headers["Retry-After"], json.loads(response.read()))
    connection.close()
    return answer


class Hanging:
    """Stands in for a cluster's `logs`, and never has an answer in time."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self._guard = threading.Lock()
        self.under_way = self.most = 0

    def __call__(self, _worker: WorkerKey, *, offset: int, limit: int, within_s: float = 5.0) -> LogChunk:
        assert limit > 0
        with self._guard:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.goes_on.wait(within_s)
        with self._guard:
            self.under_way -= 1
        return LogChunk("", offset, offset, is_complete=False, is_behind=True)


def test_submitting_is_answered_at_once_while_many_wait_for_logs(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.submit()
    world.step()
    world.step()
    hanging = Hanging()
    monkeypatch.setattr(world.cluster, "logs", hanging)
    token = world.token(Role.SUBMITTER)
    with serve(world.app) as address, ThreadPoolExecutor(READERS) as pool:
        reading = [pool.submit(ask, address, "GET", f"/v1/jobs/{job}/logs", token) for _ in range(READERS)]
        eventually(lambda: hanging.under_way >= 8, within_s=60)

        began_s = time.monotonic()
        for _ in range(3):
            assert ask(address, "POST", "/v1/jobs", token, JOB).status == 201
        took_s = time.monotonic() - began_s

        answers = [answer.result(60) for answer in reading]
        hanging.goes_on.set()
    assert took_s < 2
    assert hanging.most <= 8
    served = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 503]
    assert len(served) + len(refused) == READERS
    assert len(served) >= 8
    assert all(not answer.document["is_complete"] for answer in served)
    assert {answer.document["code"] for answer in refused} == {"too-many-log-readers"}
    assert {answer.retry_after for answer in refused} == {"1"}


def test_the_time_for_all_ranks_together_is_bounded(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.jobs.output.LONGEST_WAIT_S", 0.3)
    job = world.submit(workers=8)
    world.step()
    world.step()
    monkeypatch.setattr(world.cluster, "logs", Hanging())
    began_s = time.monotonic()
    page = world.client().get(f"/v1/jobs/{job}/logs").json()
    assert time.monotonic() - began_s < 2
    assert (page["entries"], page["is_complete"]) == ([], False)
