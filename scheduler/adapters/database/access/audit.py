"""Writing the audit trail within a transaction, and forgetting what is old."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from scheduler.adapters.database.schema.audit import audit_entries, audit_head
from scheduler.core.model.access.audit import Act, Actor, AuditEntry, make_entry
from scheduler.core.model.identifiers import JobId, TenantName
from scheduler.ports.journal import Outcome, ReviseJob, ScaleJob, SubmitJob, WishStop, Write, Written

MOST_FORGOTTEN = 1_000
"""So many old entries go in one transaction: more would keep others waiting."""
_FORGET_EVERY = 100
"""Old entries are looked for each time so many new ones were written."""

_HEAD = select(audit_head.c.last, audit_head.c.sha256).with_for_update()
_MOVE_HEAD = update(audit_head).values(last=bindparam("new_last"), sha256=bindparam("new_sha256"))
_OLD = select(audit_entries.c.number).where(audit_entries.c.at < bindparam("limit")).order_by(audit_entries.c.number)
_FORGET = delete(audit_entries).where(audit_entries.c.number <= bindparam("last_old"))

Done = tuple[Actor, Act]


def write_trail(connection: Connection, done: Sequence[Done], kept: timedelta) -> None:
    """Add entries to the trail, sealed one after another; without effect where there are none.

    The head's row stays locked until the commit: nobody else adds an entry in between.
    """
    if not done:
        return
    last, seal = connection.execute(_HEAD).one()
    rows = []
    for number, (actor, act) in enumerate(done, start=last + 1):
        entry = make_entry(number, seal, actor, act)
        seal = entry.sha256
        rows.append({field.name: getattr(entry, field.name) for field in fields(AuditEntry)})
    connection.execute(insert(audit_entries), rows)
    connection.execute(_MOVE_HEAD, {"new_last": last + len(rows), "new_sha256": seal})
    if last // _FORGET_EVERY != (last + len(rows)) // _FORGET_EVERY:
        forget(connection, rows[-1]["at"] - kept)


def forget(connection: Connection, limit: datetime) -> None:
    """Remove the oldest entries from before a moment, 1,000 at most; what remains is a chain as before."""
    old = connection.execute(_OLD.limit(MOST_FORGOTTEN), {"limit": limit}).scalars().all()
    if old:
        connection.execute(_FORGET, {"last_old": old[-1]})


def acts_of(
    items: Sequence[Write], outcomes: Sequence[Outcome], tenants: Mapping[JobId, TenantName | None]
) -> list[Act]:
    """Return what a batch of the journal that somebody handed in has changed; `tenants` are those of its jobs."""
    acts = []
    for item, outcome in zip(items, outcomes, strict=True):
        describe = _DESCRIBED.get(type(item))
        if describe is not None and isinstance(outcome, Written):
            acts.append(describe(item, outcome, tenants))
    return acts


def _submitted(item: SubmitJob, outcome: Written, _tenants: Mapping[JobId, TenantName | None]) -> Act:
    spec = item.job.spec
    after = {"name": spec.name, "kind": str(spec.kind), "workers": spec.workers, "state": str(outcome.state)}
    if spec.array is not None:
        after |= {"array": spec.array.array, "members": spec.array.count}
    return Act("job", outcome.job, item.job.tenant, item.job.submitted_at, None, after)


def _wished_to_stop(item: WishStop, outcome: Written, tenants: Mapping[JobId, TenantName | None]) -> Act:
    after = {"wish": "stop", "state": str(outcome.state)}
    return Act("job", item.job, item.tenant or tenants.get(item.job), item.at, {"wish": "run"}, after)


def _scaled(item: ScaleJob, outcome: Written, tenants: Mapping[JobId, TenantName | None]) -> Act:
    after = {"replicas": item.replicas, "state": str(outcome.state)}
    return Act("job", item.job, item.tenant or tenants.get(item.job), item.at, None, after)


def _revised(item: ReviseJob, outcome: Written, tenants: Mapping[JobId, TenantName | None]) -> Act:
    before, after = {"version": item.revision}, {"version": item.revision + 1, "state": str(outcome.state)}
    return Act("job", item.job, item.tenant or tenants.get(item.job), item.at, before, after)


_DESCRIBED: Mapping[type, Callable[[Any, Written, Mapping[JobId, TenantName | None]], Act]] = {
    SubmitJob: _submitted,
    WishStop: _wished_to_stop,
    ScaleJob: _scaled,
    ReviseJob: _revised,
}
"""The writes of people; all others are the scheduler's own, or the workers'."""

DESCRIBED = frozenset(_DESCRIBED)
