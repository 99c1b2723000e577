"""One trace from a request over its commit and its decision to the start of its gang, and into its workers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from scheduler.adapters.telemetry.traces import OpenTelemetryTracer
from scheduler.ports.cluster import GangOrder
from scheduler.ports.launch import gang_fields
from scheduler.services.decide_once import Decider, Told
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead
from scheduler.services.measuring.traced_journal import TracedJournal
from scheduler.services.reconcile_once import LaunchTerms, Reconciler
from tests.builders.api import JOB, ApiWorld, open_world
from tests.builders.otlp import Receiver, receiving

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


def traced(world: ApiWorld, tracer: OpenTelemetryTracer) -> TestClient:
    journal = TracedJournal(world.storage.journal, tracer)
    world.app = create_app(replace(world.context, tracer=tracer, journal=journal))
    return world.client()


def step(world: ApiWorld, tracer: OpenTelemetryTracer) -> None:
    """Decide once, and drive the cluster once."""
    context, storage = world.context, world.storage
    followed, lead = FollowedState(storage.views, context.clock), Lead.take(storage.leadership, "the test")
    Decider(
        followed, storage.journal, context.clock, context.wake_up, lead=lead, told=Told(tracer=tracer)
    ).decide_once()
    terms = LaunchTerms(api_url="http://127.0.0.1:1", tokens=context.attempt_tokens)
    driven = Reconciler(
        world.cluster, followed, storage.journal, storage.directory, clock=context.clock, terms=terms, lead=lead,
        tracer=tracer,
    )  # fmt: skip
    driven.reconcile_once()
    driven.close()


def test_one_trace_leads_from_the_request_to_the_start_of_the_gang(world: ApiWorld, receiver: Receiver) -> None:
    tracer = OpenTelemetryTracer("1")
    answer = traced(world, tracer).post("/v1/jobs", json=JOB, headers={"traceparent": PARENT})
    assert answer.status_code == 201
    step(world, tracer)
    tracer.close()
    assert {span.trace_id for span in receiver.spans} == {PARENT.split("-")[1]}
    paths = sorted(receiver.path_to(span) for span in receiver.spans)
    request = "POST submit_job"
    assert paths == [
        [request],
        [request, "commit"],
        [request, "decide"],
        [request, "decide", "commit decision"],
        [request, "start gang"],
    ]
    (served,), (started,), (decided,) = (receiver.named(name) for name in (request, "start gang", "commit decision"))
    assert served.attributes["medley.request_id"] == answer.headers["X-Request-Id"]
    assert (started.attributes["medley.job"], started.attributes["medley.workers"]) == (answer.json()["id"], 2)
    assert decided.attributes["medley.change"] > 0


def test_a_job_keeps_its_trace_and_tells_its_workers(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    given = world.client().post("/v1/jobs", json=JOB, headers={"traceparent": PARENT}).json()["id"]
    plain = world.submit()
    kept = world.storage.views.job(given, tenant=None)
    assert kept is not None
    assert kept.job.traceparent == PARENT
    followed = FollowedState(world.storage.views, world.context.clock)
    with followed.hold() as state:
        assert {name: job.traceparent for name, job in state.jobs.items()} == {given: PARENT, plain: None}
    orders: list[GangOrder] = []
    monkeypatch.setattr(world.cluster, "start", orders.append)
    world.step()
    documents = {order.job.id: json.loads(json.dumps(gang_fields(order, checkpoints=None))) for order in orders}
    told = {job: document.get("traceparent") for job, document in documents.items()}
    assert told == {given: PARENT, plain: None}


@pytest.mark.parametrize("header", ["00-zz", "x" * 10_000, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_malformed_context_is_dropped_and_the_job_taken(world: ApiWorld, header: str) -> None:
    answer = world.client().post("/v1/jobs", json=JOB, headers={"traceparent": header})
    assert answer.status_code == 201
    kept = world.storage.views.job(answer.json()["id"], tenant=None)
    assert kept is not None
    assert kept.job.traceparent is None


def test_a_refused_write_shows_in_its_span(world: ApiWorld, receiver: Receiver) -> None:
    tracer = OpenTelemetryTracer("1")
    answer = traced(world, tracer).post("/v1/jobs", json={**JOB, "chips": "no-such-chip"})
    assert answer.status_code == 422
    tracer.close()
    (commit,) = receiver.named("commit")
    assert commit.attributes["medley.refused"] == "unknown-chip"


def test_many_submissions_and_another_priority_are_commits_of_their_requests(
    world: ApiWorld, receiver: Receiver
) -> None:
    tracer = OpenTelemetryTracer("1")
    client = traced(world, tracer)
    made = client.post("/v1/jobs/bulk", json={"jobs": [JOB, JOB]}, headers={"traceparent": PARENT}).json()["items"]
    client.patch(f"/v1/jobs/{made[0]['id']}", json={"priority": 1}, headers={"traceparent": PARENT})
    tracer.close()
    paths = [receiver.path_to(span) for span in receiver.spans if span.name == "commit"]
    assert sorted(paths) == [["PATCH change_job", "commit"], ["POST submit_jobs", "commit"]]
