"""What the API tells of its requests."""

from dataclasses import replace

import pytest

from api.app import create_app
from api.routes.jobs import jobs
from scheduler.adapters.telemetry.metrics import PrometheusTelemetry
from scheduler.core.model.tenant import Role
from scheduler.ports.telling.log_context import subjects
from tests.builders.api import JOB, ApiWorld
from tests.builders.telemetry import value


@pytest.fixture
def telemetry(world: ApiWorld) -> PrometheusTelemetry:
    made = PrometheusTelemetry("test")
    world.app = create_app(replace(world.context, telemetry=made))
    return made


def test_requests_are_counted_by_operation_and_status(world: ApiWorld, telemetry: PrometheusTelemetry) -> None:
    client = world.client()
    for _ in range(2):
        assert client.post("/v1/jobs", json=JOB).status_code == 201
    client.post("/v1/jobs", json={"name": "?"})
    client.get("/v1/jobs/0000000000000000")
    client.get("/nowhere/at/all")
    world.client(Role.VIEWER).post("/v1/jobs", json=JOB)
    for operation, status, expected in (
        ("submit_job", 201, 2),
        ("submit_job", 422, 1),
        ("submit_job", 403, 1),
        ("show_job", 404, 1),
        ("none", 404, 1),
    ):
        labels = {"operation": operation, "status": str(status)}
        assert value(telemetry.registry, "medley_http_requests_total", labels) == expected, labels
    assert value(telemetry.registry, "medley_http_request_duration_seconds_count", {"operation": "submit_job"}) == 4


def test_a_stream_is_timed_until_it_begins(world: ApiWorld, telemetry: PrometheusTelemetry) -> None:
    with world.client().stream("GET", "/v1/events") as stream:
        assert stream.status_code == 200
    labels = {"operation": "follow_events"}
    assert value(telemetry.registry, "medley_http_request_duration_seconds_count", labels) == 1


def test_metrics_are_not_on_the_public_address(world: ApiWorld, telemetry: PrometheusTelemetry) -> None:
    assert world.client(Role.OPERATOR).get("/metrics").status_code == 404


def test_log_lines_of_a_request_say_whose_and_about_what_it_is(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[dict[str, str]] = []

    def look(*_: object, **__: object) -> None:
        found.append(dict(subjects()))

    monkeypatch.setattr(jobs, "find_job", look)
    headers = {"X-Request-Id": "one-request"}
    answer = world.client().get("/v1/jobs/0000000000000000", headers=headers)
    assert answer.status_code == 500
    expected = {"request_id": "one-request", "tenant": "demo", "user": "token:submitter-of-demo", "job_id": "0" * 16}
    assert found == [expected]
    assert subjects() == {}
