"""Spans as a collector receives them, and the context that is handed on with or without them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.adapters.telemetry.traces import OpenTelemetryTracer
from scheduler.ports.telling.log_context import subjects
from scheduler.ports.telling.tracing import NO_TRACES, carried, carrying, clean_traceparent
from tests.builders.otlp import Receiver, receiving

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = f"{PARENT[:-1]}0"
NOON = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


def test_spans_are_children_of_the_request_and_of_each_other(receiver: Receiver) -> None:
    tracer = OpenTelemetryTracer("1")
    with tracer.serve("POST", PARENT) as request:
        assert carried() == request.traceparent
        assert subjects()["trace_id"] == PARENT.split("-")[1]
        request.note({"http.response.status_code": 201}, name="POST submit_job")
        with tracer.span("commit", carried(), {"medley.writes": 2}):
            pass
    tracer.record("decide", request.traceparent, {}, began=NOON, ended=NOON + timedelta(milliseconds=5))
    tracer.close()
    assert carried() is None
    assert {span.trace_id for span in receiver.spans} == {PARENT.split("-")[1]}
    (served,) = receiver.named("POST submit_job")
    assert (served.parent_id, served.service) == (PARENT.split("-")[2], "medley")
    assert served.attributes == {"http.response.status_code": 201}
    (commit,), (decide,) = receiver.named("commit"), receiver.named("decide")
    assert commit.parent_id == decide.parent_id == served.span_id
    assert decide.duration_ns == 5_000_000


def test_work_that_fails_marks_its_span(receiver: Receiver) -> None:
    tracer = OpenTelemetryTracer("1")
    with pytest.raises(LookupError), tracer.span("start gang", None, {}):
        raise LookupError
    with tracer.span("start gang", None, {}) as span:
        span.fail("the cluster said no")
    tracer.close()
    assert [span.is_error for span in receiver.named("start gang")] == [True, True]


def test_whoever_is_not_sampled_is_not_recorded_and_stays_so(receiver: Receiver) -> None:
    tracer = OpenTelemetryTracer("1")
    with tracer.serve("GET", UNSAMPLED) as span:
        assert span.traceparent is not None
        assert span.traceparent.endswith("-00")
    tracer.close()
    assert receiver.spans == []


def test_a_receiver_that_is_away_keeps_nobody_from_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("scheduler.adapters.telemetry.traces.LONGEST_CLOSE_S", 0.1)
    tracer = OpenTelemetryTracer("1")
    for _ in range(5_000):
        tracer.record("decide", None, {}, began=NOON, ended=NOON)
    tracer.close()


def test_without_traces_the_context_is_handed_on_as_it_came() -> None:
    with NO_TRACES.serve("POST", PARENT) as request:
        assert (request.traceparent, carried()) == (PARENT, PARENT)
        request.note({}, name="POST submit_job")
        request.fail("nobody hears")
        with NO_TRACES.span("commit", None, {}):
            assert carried() is None
    assert NO_TRACES.record("decide", PARENT, {}, began=NOON, ended=NOON) == PARENT


@pytest.mark.parametrize(
    "text",
    [None, "", "x", PARENT.upper(), f"{PARENT}-x", f"ff{PARENT[2:]}", f"00-{'0' * 32}-b7ad6b7169203331-01",
     f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01", f"{PARENT}\n"],
)  # fmt: skip
def test_what_is_no_traceparent_is_dropped(text: str | None) -> None:
    assert clean_traceparent(text) is None


def test_a_context_ends_where_it_was_carried() -> None:
    with carrying(PARENT):
        assert carried() == clean_traceparent(PARENT) == PARENT
    assert carried() is None
