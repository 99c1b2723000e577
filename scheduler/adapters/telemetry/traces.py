"""Spans by OpenTelemetry, sent as OTLP over HTTP. Loaded only where traces are asked for.

Where to, how many and under which name is said by the usual variables of OpenTelemetry (`OTEL_EXPORTER_OTLP_ENDPOINT`,
`OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`, ...), which its own library reads.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from scheduler.ports.telling.log_context import about
from scheduler.ports.telling.tracing import Attributes, Span, carrying

LONGEST_CLOSE_S = 3.0
"""How long an ending server waits for its last spans to be taken."""
LONGEST_TEXT = 500
_NANOSECONDS = 1_000_000_000


class OpenTelemetryTracer:
    """Fulfils ports.tracing.Tracer. Spans are sent by a thread; what gathers beyond 2,048 is dropped."""

    is_on = True

    def __init__(self, version: str) -> None:
        names = {"service.version": version}
        if "OTEL_SERVICE_NAME" not in os.environ:
            names["service.name"] = "medley"
        self._provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("medley", version)

    @contextmanager
    def serve(self, name: str, traceparent: str | None) -> Iterator[Span]:
        """Begin a request's span."""
        with self._begun(name, traceparent, {}, SpanKind.SERVER) as span:
            yield span

    def span(self, name: str, parent: str | None, attributes: Attributes) -> AbstractContextManager[Span]:
        """Begin a span."""
        return self._begun(name, parent, attributes, SpanKind.INTERNAL)

    def record(
        self, name: str, parent: str | None, attributes: Attributes, *, began: datetime, ended: datetime
    ) -> str | None:
        """Record a span of work that is over."""
        span = self._tracer.start_span(
            name, context=_context(parent), attributes=dict(attributes), start_time=_nanoseconds(began)
        )
        span.end(_nanoseconds(ended))
        return _traceparent(span.get_span_context())

    def close(self) -> None:
        """Send what is left, for seconds at most."""
        ending = threading.Thread(target=self._provider.shutdown, name="sending the last spans", daemon=True)
        ending.start()
        ending.join(LONGEST_CLOSE_S)

    @contextmanager
    def _begun(self, name: str, parent: str | None, attributes: Attributes, kind: SpanKind) -> Iterator[Span]:
        span = self._tracer.start_span(name, context=_context(parent), attributes=dict(attributes), kind=kind)
        here = span.get_span_context()
        made = _Span(span, _traceparent(here))
        try:
            with carrying(made.traceparent), about(trace_id=trace.format_trace_id(here.trace_id)):
                yield made
        except BaseException as error:
            made.fail(f"{type(error).__name__}: {error}")
            raise
        finally:
            span.end()


class _Span:
    """One span that is recorded."""

    def __init__(self, span: trace.Span, traceparent: str) -> None:
        self._span = span
        self.traceparent: str | None = traceparent

    def note(self, attributes: Attributes, *, name: str | None = None) -> None:
        """Add attributes, or a better name."""
        self._span.set_attributes(dict(attributes))
        if name is not None:
            self._span.update_name(name)

    def fail(self, why: str) -> None:
        """Mark the work as failed."""
        self._span.set_status(Status(StatusCode.ERROR, why[:LONGEST_TEXT]))


def _context(parent: str | None) -> Context:
    """Return the context of a well-formed `traceparent`; an empty one where there is none."""
    if parent is None:
        return Context()
    _, trace_id, span_id, flags = parent.split("-")
    seen = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return trace.set_span_in_context(NonRecordingSpan(seen), Context())


def _traceparent(context: SpanContext) -> str:
    trace_id, span_id = trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
    return f"00-{trace_id}-{span_id}-{context.trace_flags:02x}"


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * _NANOSECONDS + at.microsecond * 1_000
