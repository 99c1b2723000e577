"""Writing new jobs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select, tuple_

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.queues.admission import Admission
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.ordering.dependencies import settle, states_of
from scheduler.adapters.database.schema.fleet import chip_types
from scheduler.adapters.database.schema.people import tenants
from scheduler.adapters.database.schema.work import LIVE, groups, idempotency_keys, job_chips, job_labels, jobs
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.core.model.change import JobSubmitted
from scheduler.core.model.group import Group, State, first_group
from scheduler.core.model.identifiers import ChipName, JobId, TenantName
from scheduler.core.model.job import Job
from scheduler.ports.journal import Outcome, Rejected, Rejection, SubmitJob, Unchanged, Written

_LOCK_TENANTS = (
    select(tenants.c.name).where(tenants.c.name.in_(LISTED)).order_by(tenants.c.name).with_for_update(key_share=True)
)
_CHIPS = select(chip_types.c.name).where(chip_types.c.name.in_(LISTED))
_LIVE_JOBS = (
    select(jobs.c.tenant, func.sum(jobs.c.replicas).label("live"))
    .where(jobs.c.tenant.in_(LISTED), LIVE)
    .group_by(jobs.c.tenant)
)
_KEYS = (
    select(idempotency_keys, jobs.c.state)
    .join(jobs, jobs.c.id == idempotency_keys.c.job_id)
    .where(tuple_(idempotency_keys.c.tenant, idempotency_keys.c.key).in_(LISTED))
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a key stands for."""

    body_sha256: str
    job: JobId
    state: State


@dataclass(slots=True)
class _Context:
    """What a run of submissions is checked against; kept up to date as they are written."""

    tenants: set[TenantName]
    chips: set[ChipName]
    live_jobs: Counter[TenantName]
    waited_for: dict[JobId, tuple[TenantName, State]]
    """The jobs and arrays that they come after: whose, and what they are."""
    keys: dict[tuple[TenantName, str], _Known]
    admission: Admission
    rows: dict[str, list[Row]] = field(
        default_factory=lambda: {table.name: [] for table in (jobs, groups, job_chips, job_labels, idempotency_keys)}
    )


def submit(transaction: Transaction, items: Sequence[SubmitJob]) -> list[Outcome]:
    """Write new jobs with their queued groups; a known key answers with the job it stands for."""
    names = {item.job.tenant for item in items}
    context = _Context(
        # Locking the tenants makes their keys and their number of jobs hold still until the commit.
        tenants=lock_tenants(transaction, names),
        chips=_known_chips(transaction, {chip for item in items for chip in _chips(item.job)}),
        live_jobs=live_replicas(transaction, names),
        waited_for=states_of(
            transaction.connection, (one for item in items for one in item.job.spec.after), hold_still=True
        ),
        keys=_known_keys(transaction, [(item.job.tenant, item.key.key) for item in items if item.key is not None]),
        admission=Admission(transaction.connection, (item.job.queue for item in items)),
    )
    outcomes = [_submit_one(transaction, context, item) for item in items]
    for table in (jobs, groups, job_chips, job_labels, idempotency_keys):
        transaction.insert(table, context.rows[table.name])
    return outcomes


def _submit_one(transaction: Transaction, context: _Context, item: SubmitJob) -> Outcome:
    job = item.job
    if job.tenant not in context.tenants:
        return Rejected(Rejection.UNKNOWN_TENANT, job.tenant)
    known = context.keys.get((job.tenant, item.key.key)) if item.key is not None else None
    if item.key is not None and known is not None:
        if known.body_sha256 != item.key.body_sha256:
            return Rejected(Rejection.KEY_REUSED, item.key.key)
        return Unchanged(known.job, known.state)
    refusal = _unknown(context, job) or context.admission.refusal(job)
    if refusal is not None:
        return refusal
    if context.live_jobs[job.tenant] + job.replicas > item.most_live_jobs:
        return Rejected(Rejection.TOO_MANY_JOBS, str(item.most_live_jobs))
    return _write_one(transaction, context, item)


def _unknown(context: _Context, job: Job) -> Rejected | None:
    """Return that a job names something that there is not, None where all is there."""
    for chip in _chips(job):
        if chip not in context.chips:
            return Rejected(Rejection.UNKNOWN_CHIP, chip)
    for one in job.spec.after:
        if context.waited_for.get(one.job, ("", None))[0] != job.tenant:
            return Rejected(Rejection.UNKNOWN_JOB, one.job)
    return None


def _write_one(transaction: Transaction, context: _Context, item: SubmitJob) -> Written:
    job = item.job
    new = tuple(first_group(job.id, index) for index in range(job.replicas))
    context.live_jobs[job.tenant] += job.replicas
    context.admission.enter(job)
    context.rows["jobs"].append(_job_row(job))
    context.rows["groups"] += [group_row(group) for group in new]
    context.rows["job_chips"] += [{"job_id": job.id, "chip": chip} for chip in _chips(job)]
    context.rows["job_labels"] += [
        {"job_id": job.id, "key": key, "value": value} for key, value in dict.fromkeys(job.spec.labels)
    ]
    if item.key is not None:
        context.keys[job.tenant, item.key.key] = _Known(item.key.body_sha256, job.id, State.QUEUED)
        context.rows["idempotency_keys"].append(
            {
                "tenant": job.tenant,
                "key": item.key.key,
                "body_sha256": item.key.body_sha256,
                "job_id": job.id,
                "created_at": job.submitted_at,
            }
        )
    body = JobSubmitted(settle(job, context.waited_for), new)
    change = transaction.add(Draft(job.submitted_at, body, tenant=job.tenant, job=job.id))
    return Written(job.id, State.QUEUED, change)


def _chips(job: Job) -> list[ChipName]:
    """Return the chip types a job accepts, each once, in the order it names them."""
    return list(dict.fromkeys(chip for option in job.spec.options() for part in option if (chip := part.chip)))


def _job_row(job: Job) -> Row:
    return {
        "id": job.id,
        "tenant": job.tenant,
        "name": job.spec.name,
        "kind": job.spec.kind,
        "workers": job.spec.workers,
        "retries": job.spec.retries,
        "replicas": job.replicas,
        "spec": JOB_SPEC.encode(job.spec),
        "submitted_by": job.submitted_by,
        "submitted_at": job.submitted_at,
        "wish": job.wish,
        "state": State.QUEUED,
        "traceparent": job.traceparent,
        "queue": job.queue,
        "array_id": None if job.spec.array is None else job.spec.array.array,
    }


def group_row(group: Group) -> Row:
    """Return the row of a new group."""
    return {
        "id": group.id,
        "job_id": group.job_id,
        "position": group.index,
        "state": group.state,
        "version": group.version,
        "attempts": group.attempts,
        "failures": group.failures,
    }


def lock_tenants(transaction: Transaction, names: Iterable[TenantName]) -> set[TenantName]:
    """Return those tenants that there are; they stay locked until the commit."""
    return {row.name for row in rows_listed(transaction.connection, _LOCK_TENANTS, sorted(names))}


def _known_chips(transaction: Transaction, names: Iterable[ChipName]) -> set[ChipName]:
    return {row.name for row in rows_listed(transaction.connection, _CHIPS, sorted(names))}


def live_replicas(transaction: Transaction, names: Iterable[TenantName]) -> Counter[TenantName]:
    """Return how many jobs of tenants are not final, each replica of a server counted."""
    return Counter(
        {row.tenant: int(row.live) for row in rows_listed(transaction.connection, _LIVE_JOBS, sorted(names))}
    )


def _known_keys(
    transaction: Transaction, keys: Iterable[tuple[TenantName, str]]
) -> dict[tuple[TenantName, str], _Known]:
    rows = rows_listed(transaction.connection, _KEYS, dict.fromkeys(keys))
    return {(row.tenant, row.key): _Known(row.body_sha256, row.job_id, State(row.state)) for row in rows}
