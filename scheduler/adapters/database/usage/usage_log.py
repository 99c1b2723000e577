"""Use over time on a database."""

from collections.abc import Iterator
from datetime import datetime

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.usage.accounts import read_finished, read_held, read_latest_reports
from scheduler.adapters.database.usage.recording import record_period
from scheduler.adapters.database.usage.series import read_series
from scheduler.adapters.database.writer import Writer
from scheduler.core.model.identifiers import AttemptId, JobId, TenantName
from scheduler.ports.records.usage import FinishedFilter, FinishedJob, HeldSpan, SeriesRows, UsagePeriod


class DatabaseUsage:
    """Fulfils ports.records.usage.UsageLog."""

    def __init__(self, engines: Engines, writer: Writer) -> None:
        self._engines = engines
        self._writer = writer

    def record(self, period: UsagePeriod, epoch: int) -> bool:
        """Add a period; False for an old epoch."""
        return self._writer.call(lambda transaction: record_period(transaction, period, epoch))

    def latest_reports(self) -> dict[AttemptId, datetime]:
        """Return when attempts last reported."""
        with self._engines.read() as connection:
            return read_latest_reports(connection)

    def series(
        self, since: datetime, until: datetime, *, step_s: int, by: str, tenant: TenantName | None
    ) -> SeriesRows:
        """Return sums by period and name."""
        with self._engines.read() as connection:
            return read_series(connection, since, until, step_s=step_s, by=by, tenant=tenant)

    def held_spans(self, since: datetime, until: datetime, *, tenant: TenantName | None) -> Iterator[HeldSpan]:
        """Yield what was held; the connection is kept until the last one is taken."""
        with self._engines.read() as connection:
            yield from read_held(connection, since, until, tenant=tenant)

    def finished_jobs(
        self, where: FinishedFilter, *, before: tuple[datetime, JobId] | None, limit: int
    ) -> list[FinishedJob]:
        """Return finished jobs, the latest end first."""
        with self._engines.read() as connection:
            return read_finished(connection, where, before=before, limit=limit)
