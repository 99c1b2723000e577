"""A journal whose writes are spans of the requests that bring them about."""

from collections.abc import Callable, Sequence
from typing import Self

from scheduler.core.model.access.audit import Actor
from scheduler.ports.journal import Edit, Guard, Journal, Outcome, Rejected, SubmitJob, Write, unguarded
from scheduler.ports.telling.tracing import Tracer, carried


class TracedJournal:
    """Fulfils ports.journal.Journal by another one. A write that belongs to no request makes no span."""

    def __init__(self, journal: Journal, tracer: Tracer) -> None:
        self._journal = journal
        self._tracer = tracer

    def acting(self, actor: Actor) -> Self:
        """Return the journal whose writes are in somebody's name."""
        return type(self)(self._journal.acting(actor), self._tracer)

    def write(self, items: Sequence[Write]) -> list[Outcome]:
        """Write a batch; the span lasts from handing it over until it is durable."""
        return self._traced(items, lambda: self._journal.write(items))

    def write_together(self, items: Sequence[SubmitJob]) -> list[Outcome]:
        """Write all of a batch or nothing; the span is as that of `write`."""
        return self._traced(items, lambda: self._journal.write_together(items))

    def write_array(self, members: Sequence[SubmitJob]) -> list[Outcome]:
        """Write the jobs of one array, or nothing; the span is as that of `write`."""
        return self._traced(members, lambda: self._journal.write_array(members))

    def change(self, item: Edit, guard: Guard = unguarded) -> Outcome:
        """Write one item; the span is as that of `write`."""
        (outcome,) = self._traced([item], lambda: [self._journal.change(item, guard)])
        return outcome

    def _traced(self, items: Sequence[object], write: Callable[[], list[Outcome]]) -> list[Outcome]:
        parent = carried()
        if parent is None:
            return write()
        kinds = sorted({type(item).__name__ for item in items})
        noted: dict[str, str | int] = {"medley.writes": len(items), "medley.kinds": ",".join(kinds)}
        with self._tracer.span("commit", parent, noted) as span:
            outcomes = write()
            refused = sorted({outcome.why for outcome in outcomes if isinstance(outcome, Rejected)})
            if refused:
                span.note({"medley.refused": ",".join(refused)})
            return outcomes
