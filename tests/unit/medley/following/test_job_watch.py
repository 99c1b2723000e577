import math
import time

import pytest

from medley.client import Client
from medley.errors import ApiProblem
from medley.following.job_watch import wait_for_end, watch_job
from tests.builders.command import JOB_ID, TOKEN, Reply, a_job, a_problem, a_scripted_server, an_event

JOB = f"GET /v1/jobs/{JOB_ID}"


def test_a_job_is_looked_at_until_it_is_final() -> None:
    states = ["queued", "running", "stopping", "cancelled"]
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on(JOB, *(Reply(body=a_job(state=state)) for state in states))
        server.on(f"{JOB}/events", Reply(stream=[an_event(1, "job-submitted")]))
        assert [job["state"] for job in watch_job(client, JOB_ID, deadline_s=math.inf)] == states


def test_without_any_event_stream_the_job_is_still_looked_at() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on(JOB, Reply(body=a_job()), Reply(body=a_job()), Reply(body=a_job(state="succeeded")))
        server.on(f"{JOB}/events", Reply(403, a_problem(403, "forbidden")))
        assert wait_for_end(client, JOB_ID, deadline_s=math.inf)["state"] == "succeeded"


def test_a_restart_of_the_server_is_waited_for() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=0) as client:
        down = [Reply(is_dropped=True), Reply(503, a_problem(503, "not-ready"))] * 2
        server.on(JOB, Reply(body=a_job()), *down, Reply(body=a_job(state="succeeded")))
        assert wait_for_end(client, JOB_ID, deadline_s=math.inf)["state"] == "succeeded"


def test_a_first_look_that_fails_is_not_waited_for() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN, patience_s=0) as client:
        server.on(JOB, Reply(503, a_problem(503, "not-ready")))
        with pytest.raises(ApiProblem):
            wait_for_end(client, JOB_ID, deadline_s=math.inf)


def test_the_deadline_ends_the_wait_with_the_job_as_it_is() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        server.on(JOB, Reply(body=a_job(state="running")))
        began_s = time.monotonic()
        assert wait_for_end(client, JOB_ID, deadline_s=began_s + 0.2)["state"] == "running"
        assert time.monotonic() - began_s < 30
