"""What the work at hand is about, so that every log line of it says so: request, job, attempt, tenant.

Bound to the thread or task that does the work, and to those that it hands its context on to.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

FIELDS = ("request_id", "trace_id", "tenant", "user", "job_id", "attempt_id", "cluster")
"""All there are, in the order in which lines show them."""

_bound: ContextVar[Mapping[str, str]] = ContextVar("medley_log_context", default=MappingProxyType({}))


@contextmanager
def about(**fields: str | None) -> Iterator[None]:
    """Say within what the lines are about, besides what was said around it; None says nothing."""
    before = _bound.get()
    token = _bound.set({**before, **{name: value for name, value in fields.items() if value is not None}})
    try:
        yield
    finally:
        _bound.reset(token)


def subjects() -> Mapping[str, str]:
    """Return what the work at hand is about."""
    return _bound.get()
