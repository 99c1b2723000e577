"""The views on a database."""

from collections.abc import Collection

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.queues import reading
from scheduler.adapters.database.reads import capacity_check, feed, heartbeats, job_rows, jobs, nodes, pools
from scheduler.adapters.database.reads.arrays.arrays import read_arrays
from scheduler.core.model.attempt import Progress
from scheduler.core.model.change import Change
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, JobId, NodeId, TenantName
from scheduler.core.model.node import Pool
from scheduler.core.reconciling.life_signs import LifeSign
from scheduler.ports.views import ArrayView, CapacityError, JobFilter, JobRow, JobView, NodeView, Snapshot, TenantUse


class DatabaseViews:
    """What people and followers read (ports.views): one transaction each. Any may raise StorageUnavailable."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def snapshot(self) -> Snapshot:
        """Return what deciding needs, of one moment."""
        with self._engines.read() as connection:
            return feed.read_snapshot(connection)

    def last_change(self) -> int:
        """Return the number of the latest change, 0 where there is none."""
        with self._engines.read() as connection:
            return feed.read_last_change(connection)

    def changes_after(self, number: int, *, limit: int, job: JobId | None = None) -> list[Change]:
        """Return changes with a greater number, oldest first; with `job` only the job's."""
        with self._engines.read() as connection:
            return feed.read_changes(connection, number, limit=limit, job=job)

    def jobs(self, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobView]:
        """Return jobs newest first, those older than `before`."""
        with self._engines.read() as connection:
            return jobs.view_jobs(connection, where, before=before, limit=limit)

    def job_rows(self, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobRow]:
        """Return jobs in short, newest first, those older than `before`."""
        with self._engines.read() as connection:
            return job_rows.read_job_rows(connection, where, before=before, limit=limit)

    def arrays(self, where: JobFilter, *, before: JobId | None, limit: int) -> list[ArrayView]:
        """Return the arrays that have a job that meets the filter, newest first, those older than `before`."""
        with self._engines.read() as connection:
            return read_arrays(connection, where, before=before, limit=limit)

    def live_jobs(self, where: JobFilter, *, before: JobId | None, limit: int) -> list[JobId]:
        """Return the ids of jobs that are not final, newest first, those older than `before`."""
        with self._engines.read() as connection:
            return job_rows.read_live_jobs(connection, where, before=before, limit=limit)

    def job(self, job: JobId, *, tenant: TenantName | None) -> JobView | None:
        """Return one job with all its attempts; None unless it belongs to `tenant` (None: any)."""
        with self._engines.read() as connection:
            return jobs.view_job(connection, job, tenant=tenant)

    def attempt_is_open(self, attempt: AttemptId, generation: int) -> bool:
        """Say whether an attempt holds devices, and is of that generation or on its way from or to it."""
        with self._engines.read() as connection:
            return jobs.is_open(connection, attempt, generation)

    def rendezvous(self, attempt: AttemptId, generation: int) -> str | None:
        """Return rank 0's address, None while it is not known."""
        with self._engines.read() as connection:
            return jobs.read_address(connection, attempt, generation)

    def progress(self, attempt: AttemptId, *, limit: int) -> list[Progress]:
        """Return an attempt's latest reports, oldest first."""
        with self._engines.read() as connection:
            return jobs.read_progress(connection, attempt, limit=limit)

    def life_signs(self) -> list[LifeSign]:
        """Return what was heard of the open attempts whose runtime beats for them."""
        with self._engines.read() as connection:
            return heartbeats.read_life_signs(connection)

    def nodes(
        self,
        *,
        cluster: ClusterName | None,
        chip: ChipName | None,
        after: NodeId | None,
        limit: int,
        ids: Collection[NodeId] | None = None,
    ) -> list[NodeView]:
        """Return nodes by id that are not GONE, with `ids` only those."""
        with self._engines.read() as connection:
            return nodes.view_nodes(connection, cluster=cluster, chip=chip, after=after, limit=limit, ids=ids)

    def pools(self) -> list[Pool]:
        """Return all pools by name."""
        with self._engines.read() as connection:
            return pools.read_pools(connection)

    def tenant_use(self, tenant: TenantName | None) -> list[TenantUse]:
        """Return what tenants hold now, by tenant and chip; of one tenant, or all where `tenant` is None."""
        with self._engines.read() as connection:
            return reading.read_use(connection, tenant)

    def capacity_errors(self) -> list[CapacityError]:
        """Return where counters differ from what live attempts hold, the first 100; empty where all is well."""
        with self._engines.read() as connection:
            return capacity_check.read_capacity_errors(connection)
