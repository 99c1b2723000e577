"""Following one request through everything that it brings about: spans, and the W3C trace context between them.

The context is a `traceparent`, as it stands in a request's header, with a job, and in what a worker is told. It is
handed on whether or not anybody here records spans: who traces their own programs sees them joined all the same.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Protocol

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_carried: ContextVar[str | None] = ContextVar("medley_traceparent", default=None)

Attributes = Mapping[str, str | int]


def clean_traceparent(given: str | None) -> str | None:
    """Return a well-formed `traceparent`, None for any other text."""
    return given if given is not None and _TRACEPARENT.fullmatch(given) else None


@contextmanager
def carrying(traceparent: str | None) -> Iterator[None]:
    """Make this the context of what is done within, by this thread or task and those that it hands its context to."""
    token = _carried.set(traceparent)
    try:
        yield
    finally:
        _carried.reset(token)


def carried() -> str | None:
    """Return the context of the work at hand."""
    return _carried.get()


class Span(Protocol):
    """One piece of work while it is done."""

    @property
    def traceparent(self) -> str | None:
        """What names this span as the parent of others."""
        ...

    def note(self, attributes: Attributes, *, name: str | None = None) -> None:
        """Add what is known by now; `name` calls the span otherwise."""
        ...

    def fail(self, why: str) -> None:
        """Mark the work as failed."""
        ...


class Tracer(Protocol):
    """Records spans; never blocks and never raises of itself. Safe to use from several threads."""

    @property
    def is_on(self) -> bool:
        """Whether spans are recorded; what costs time for their sake is left out where they are not."""
        ...

    def serve(self, name: str, traceparent: str | None) -> AbstractContextManager[Span]:
        """Begin a request's span, child of the caller's, and carry it within."""
        ...

    def span(self, name: str, parent: str | None, attributes: Attributes) -> AbstractContextManager[Span]:
        """Begin a span, child of `parent`, and carry it within; what raises within fails it."""
        ...

    def record(
        self, name: str, parent: str | None, attributes: Attributes, *, began: datetime, ended: datetime
    ) -> str | None:
        """Record a span of work that is over; return what names it as the parent of others."""
        ...


class _NoSpan:
    """Work that nobody records: its children are those of its parent."""

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent

    def note(self, attributes: Attributes, *, name: str | None = None) -> None: ...

    def fail(self, why: str) -> None: ...


class _NoTraces:
    """Records nothing and hands contexts on."""

    is_on = False

    def serve(self, name: str, traceparent: str | None) -> AbstractContextManager[Span]:
        return self.span(name, traceparent, {})

    @contextmanager
    def span(self, name: str, parent: str | None, attributes: Attributes) -> Iterator[Span]:  # noqa: ARG002 - the port's
        with carrying(parent):
            yield _NoSpan(parent)

    def record(
        self,
        name: str,  # noqa: ARG002 - the port's
        parent: str | None,
        attributes: Attributes,  # noqa: ARG002 - the port's
        *,
        began: datetime,  # noqa: ARG002 - the port's
        ended: datetime,  # noqa: ARG002 - the port's
    ) -> str | None:
        return parent


NO_TRACES: Tracer = _NoTraces()
"""For whoever records none."""
