"""Two API processes and a scheduler on real servers: whatever becomes of Redis, nothing is lost, doubled or refused."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.builders.api import EventReader
from tests.builders.eventually import eventually
from tests.builders.server import Answer, Api, ServerProcess
from tests.integration.processes.conftest import UNITS_PER_TOKEN, Trio

PATIENCE_S = 40.0
AWAY, BACK = "that workers are not heard does not count meanwhile", "silence counts from now on"
FINAL = ("succeeded", "failed", "cancelled")
LONGEST_ANSWER_S = 10.0
"""Far above what Redis may delay: the machine of the tests is busy."""


def job(name: str, *argv: str) -> dict[str, Any]:
    return {"name": name, "workers": 1, "chips": "t4", "memory_mib": 64, "grace_s": 1, "command": list(argv)}


def wait_for(api: Api, name: str, *states: str) -> Any:
    def look() -> Any:
        found = api.want(200, "GET", f"/v1/jobs/{name}")
        return found if found["state"] in states else None

    return eventually(look, within_s=PATIENCE_S, what=f"{name} {states}")


def checks_of(process: ServerProcess) -> dict[str, Any]:
    with Api(process.address, None) as api:
        return {check["name"]: check for check in api.want(200, "GET", "/readyz")["checks"]}


def redis_is_up(process: ServerProcess) -> bool:
    return bool(checks_of(process)["redis"]["is_ok"])


def test_each_process_says_who_leads(trio: Trio) -> None:
    leads, follows = (checks_of(process)["leader"] for process in (trio.scheduler, trio.first))
    assert leads["is_ok"]
    assert follows["is_ok"]
    epoch = leads["detail"].removeprefix("this process leads, epoch ")
    assert int(epoch) > 0
    assert follows["detail"] == f"another process leads, epoch {epoch}"


def test_what_is_submitted_at_one_runs_and_is_seen_at_the_other(trio: Trio) -> None:
    token = trio.token()
    with Api(trio.first.address, token) as one, Api(trio.second.address, token) as other:
        name = one.want(201, "POST", "/v1/jobs?wait=placed", job("hello", "echo", "hello"))["id"]
        ended = wait_for(other, name, *FINAL)
        assert (ended["state"], ended["attempts"][-1]["workers"][0]["node"]) == ("succeeded", "one/node")
        for api in (one, other):
            assert api.want(200, "GET", f"/v1/jobs/{name}/logs")["entries"][0]["text"] == "hello\n"
            assert api.want(200, "GET", f"/v1/jobs/{name}/why")["state"] == "succeeded"
    with trio.operator() as operator:
        assert operator.want(200, "GET", "/v1/clusters/one/check")["is_ok"]
        assert operator.want(200, "GET", "/v1/scheduler/check")["is_equal"]


def test_what_no_cluster_runs_is_refused_by_a_process_that_drives_none(trio: Trio) -> None:
    with Api(trio.second.address, trio.token()) as api:
        refused = api.want(422, "POST", "/v1/jobs", job("image", "true") | {"image": "busybox"})
        assert refused["code"] == "not-offered"


def test_a_scheduler_answers_processes_that_know_the_secret_and_nobody_else(trio: Trio) -> None:
    with Api(trio.scheduler.address, trio.installation.operator_token()) as api:
        assert api.call("GET", "/livez").status == 200
        assert api.call("GET", "/v1/jobs").status == 404
        refused = api.call("GET", "/internal/v1/clusters/one/check")
        assert (refused.status, refused.body["code"]) == (401, "not-authenticated")


def test_who_waits_for_a_decision_hears_that_a_job_has_to_wait(trio: Trio) -> None:
    with occupied(trio), Api(trio.second.address, trio.token()) as api:
        began_s = time.monotonic()
        waiting = api.want(201, "POST", "/v1/jobs?wait=placed&wait_s=30", job("waits", "true"))
        assert time.monotonic() - began_s < LONGEST_ANSWER_S
        assert (waiting["state"], waiting["reasons"] != []) == ("queued", True)
        api.want(200, "POST", f"/v1/jobs/{waiting['id']}/cancel")


def test_a_stream_at_one_hears_at_once_of_what_is_submitted_at_the_other(trio: Trio) -> None:
    token = trio.token()
    delays_s = []
    with Api(trio.first.address, token) as one, EventReader(trio.second.address, "/v1/events", token) as stream:
        stream.read_block()
        stream.read_block()
        for number in range(7):
            began_s = time.monotonic()
            name = one.want(201, "POST", "/v1/jobs", job(f"quick-{number}", "true"))["id"]
            while stream.read(1)[0].data["job"] != name:
                pass
            delays_s.append(time.monotonic() - began_s)
            one.want(200, "POST", f"/v1/jobs/{name}/cancel")
            wait_for(one, name, *FINAL)
    # A stream that polls hears after a second in the middle, and after two at the latest.
    assert sorted(delays_s)[3] < 0.6, delays_s


def test_one_allowance_is_spent_at_both(trio: Trio) -> None:
    token = trio.token()

    def ask(number: int) -> list[Answer]:
        process = (trio.first, trio.second)[number % 2]
        with Api(process.address, token) as api:
            return [api.call("GET", "/v1/whoami") for _ in range(UNITS_PER_TOKEN // 4 + 5)]

    with ThreadPoolExecutor(4) as threads:
        answers = [answer for some in threads.map(ask, range(4)) for answer in some]
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {200, 429}
    # One unit is back every nine seconds.
    assert UNITS_PER_TOKEN <= statuses[200] <= UNITS_PER_TOKEN + 10
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["retry-after"]) <= 9
    assert refused.headers["ratelimit-policy"] == f'"token";q={UNITS_PER_TOKEN};w=3600'


@pytest.mark.parametrize("trouble", ["wiped", "paused", "killed", "slow"])
def test_under_load_redis_may_fail_and_nothing_is_lost_doubled_or_refused(trio: Trio, trouble: str) -> None:
    tenant = f"load-{trouble}"
    watcher = trio.token(tenant)
    with occupied(trio) as sleepers, EventReader(trio.second.address, "/v1/events?after=0", watcher) as stream:
        load = Load(trio, tenant)
        with load.running():
            eventually(lambda: len(load.submitted) > 10, within_s=PATIENCE_S)
            with in_trouble(trio, trouble):
                before = len(load.submitted)
                eventually(lambda: len(load.submitted) > before + 20, within_s=PATIENCE_S)
                # The scheduler decides all the same: what it was not told of it finds by itself.
                with trio.operator() as operator:
                    assert operator.call("POST", f"/v1/jobs/{sleepers.pop()}/cancel").status == 200
                    place = f"/v1/jobs?tenant={tenant}&state=placed&state=starting&state=running&state=succeeded"
                    eventually(lambda: operator.want(200, "GET", place)["items"], within_s=PATIENCE_S)
            eventually(lambda: redis_is_up(trio.first) and redis_is_up(trio.second), within_s=PATIENCE_S)
        assert load.refused == []
        assert max(load.took_s) < LONGEST_ANSWER_S
        assert len(set(load.submitted)) == len(load.submitted)
        seen = submissions_seen(stream, len(load.submitted))
        assert sorted(seen) == sorted(load.submitted)
        load.cancel_all()


@contextmanager
def in_trouble(trio: Trio, trouble: str) -> Iterator[None]:
    """Have Redis fail for some seconds, or once; it works again afterwards."""
    redis = trio.redis
    stalls: list[threading.Thread] = []
    begin: dict[str, Callable[[], None]] = {
        "wiped": redis.wipe,
        "paused": redis.pause,
        "killed": redis.kill,
        "slow": lambda: stalls.append(_started(lambda: redis.stall(times=8, each_s=0.5))),
    }
    end: dict[str, Callable[[], None]] = {
        "wiped": redis.wipe,
        "paused": redis.resume,
        "killed": redis.start,
        "slow": lambda: stalls[0].join(PATIENCE_S),
    }
    begin[trouble]()
    try:
        yield
    finally:
        end[trouble]()


def _started(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


@contextmanager
def occupied(trio: Trio) -> Iterator[list[str]]:
    """Have jobs hold all devices, so that what is submitted waits; they are cancelled at the end."""
    with Api(trio.first.address, trio.token("holder")) as api:
        held = [api.want(201, "POST", "/v1/jobs", job("hold", "sleep", "600"))["id"] for _ in range(4)]
        try:
            for name in held:
                wait_for(api, name, "running")
            yield held
        finally:
            for name in held:
                api.call("POST", f"/v1/jobs/{name}/cancel")
            for name in held:
                wait_for(api, name, *FINAL)


class Load:
    """Submits at both API processes, each submission once, and keeps what came of it."""

    def __init__(self, trio: Trio, tenant: str) -> None:
        self.submitted: list[str] = []
        self.refused: list[Any] = []
        self.took_s: list[float] = []
        self._apis = [
            Api(process.address, trio.token(tenant)) for process in (trio.first, trio.second, trio.first, trio.second)
        ]
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Submit while the block runs."""
        with ThreadPoolExecutor(len(self._apis)) as threads:
            done = [threads.submit(self._submit, api) for api in self._apis]
            try:
                yield
            finally:
                self._stopping.set()
        for each in done:
            each.result()

    def cancel_all(self) -> None:
        """Leave nothing waiting."""
        for number, name in enumerate(self.submitted):
            assert self._apis[number % len(self._apis)].call("POST", f"/v1/jobs/{name}/cancel").status in (200, 429)
        for api in self._apis:
            api.close()

    def _submit(self, api: Api) -> None:
        """Not so fast that it spends its allowance: what is refused is to be refused for no other reason."""
        for _ in range(UNITS_PER_TOKEN // 2):
            if self._stopping.wait(0.1):
                return
            began_s = time.monotonic()
            answer = api.call("POST", "/v1/jobs", job("load", "true"))
            self.took_s.append(time.monotonic() - began_s)
            if answer.status == 201:
                self.submitted.append(answer.body["id"])
            else:
                self.refused.append(answer)


def submissions_seen(stream: EventReader, count: int) -> list[str]:
    """Return the jobs whose submission a stream tells of, in the order of its growing numbers."""
    seen: list[str] = []
    last = 0
    while len(seen) < count:
        (event,) = stream.read(1)
        assert event.number is not None
        assert event.number > last
        last = event.number
        if event.kind == "job-submitted":
            seen.append(event.data["job"])
    return seen


def test_while_postgresql_is_away_requests_are_told_to_come_back_and_then_all_goes_on(trio: Trio) -> None:
    token = trio.token()
    with Api(trio.first.address, token) as one, Api(trio.second.address, token) as other:
        name = one.want(201, "POST", "/v1/jobs", job("before", "true"))["id"]
        wait_for(other, name, *FINAL)
        trio.postgres.crash()
        try:
            for api in (one, other):
                refused = api.call("POST", "/v1/jobs", job("during", "true"))
                assert (refused.status, refused.body["code"]) == (503, "storage-unavailable")
                assert refused.headers["retry-after"]
                assert api.call("GET", "/readyz").status == 503
                assert api.call("GET", "/livez").status == 200
            with Api(trio.scheduler.address, None) as scheduler:
                assert scheduler.call("GET", "/readyz").status == 503
        finally:
            trio.postgres.start()
        eventually(lambda: one.call("GET", "/readyz").status == 200, within_s=PATIENCE_S)
        after = eventually(lambda: accepted(other), within_s=PATIENCE_S)
        assert wait_for(one, after, *FINAL)["state"] == "succeeded"
        assert one.want(200, "GET", f"/v1/jobs/{name}")["state"] == "succeeded"


def test_while_the_api_that_workers_call_is_away_the_scheduler_does_not_count_their_silence(trio: Trio) -> None:
    def lines(words: str) -> int:
        return trio.scheduler.log.read_text().count(words)

    away, back = (lines(words) for words in (AWAY, BACK))
    trio.first.kill()
    try:
        eventually(lambda: lines(AWAY) > away, within_s=PATIENCE_S)
    finally:
        trio.first.start()
    eventually(lambda: lines(BACK) > back, within_s=PATIENCE_S)


def accepted(api: Api) -> str | None:
    answer = api.call("POST", "/v1/jobs", job("after", "true"))
    return str(answer.body["id"]) if answer.status == 201 else None


def test_without_a_scheduler_jobs_are_accepted_and_run_once_there_is_one_again(trio: Trio) -> None:
    token = trio.token()
    with Api(trio.first.address, token) as one, Api(trio.second.address, token) as other:
        ended = one.want(201, "POST", "/v1/jobs", job("ended", "echo", "done"))["id"]
        wait_for(one, ended, *FINAL)
        trio.scheduler.kill()
        try:
            name = one.want(201, "POST", "/v1/jobs", job("waits", "true"))["id"]
            refused = other.call("GET", f"/v1/jobs/{ended}/logs")
            assert (refused.status, refused.body["code"]) == (503, "cluster-unavailable")
            assert refused.headers["retry-after"]
            with trio.operator() as operator:
                check = operator.want(200, "GET", "/v1/clusters/one/check")
            assert not check["is_ok"]
            assert "--scheduler-url" in check["findings"][0]["next"]
        finally:
            trio.scheduler.start()
        assert wait_for(other, name, *FINAL)["state"] == "succeeded"
        assert other.want(200, "GET", f"/v1/jobs/{ended}/logs")["entries"][0]["text"] == "done\n"
