"""Writing new versions of servers."""

from collections.abc import Sequence

from sqlalchemy import bindparam, update

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.schema.work import jobs
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.jobs.edits import present_spec
from scheduler.adapters.database.writes.replicas.settling import settle
from scheduler.adapters.database.writes.standings import Standings
from scheduler.core.model.change import JobRevised
from scheduler.core.model.group import FINAL
from scheduler.core.model.job import JobKind, Wish
from scheduler.ports.journal import Guard, Outcome, Rejected, Rejection, ReviseJob, Unchanged, Written, unguarded

_REVISE = (
    update(jobs)
    .where(jobs.c.id == bindparam("of_id"), jobs.c.revision == bindparam("of_revision"))
    .values(spec=bindparam("new_spec"), revision=bindparam("new_revision"))
)


def revise(transaction: Transaction, items: Sequence[ReviseJob], guard: Guard = unguarded) -> list[Outcome]:
    """Write new versions, unless the guard raises, and begin to replace the replicas of older ones."""
    return [_revise_one(transaction, item, guard) for item in items]


def _revise_one(transaction: Transaction, item: ReviseJob, guard: Guard) -> Outcome:
    standings = Standings(transaction, [item.job])
    present = standings.of_job(item.job)
    if not present or item.tenant not in (None, present[0].tenant):
        return Rejected(Rejection.NOT_FOUND, item.job)
    first, state = present[0], standings.state_of(item.job)
    spec = present_spec(transaction, item.job, guard)
    if first.kind is not JobKind.INFERENCE:
        return Rejected(Rejection.ILLEGAL, "only a job of the kind inference can be given another version")
    if first.wish is Wish.STOP or state in FINAL:
        return Rejected(Rejection.ILLEGAL, f"it is {state}, and is to end")
    if first.revision != item.revision:
        return Rejected(Rejection.STALE_VERSION, f"it is at version {first.revision}")
    if spec == item.spec:
        return Unchanged(item.job, state)
    revision = first.revision + 1
    row = {"of_id": item.job, "of_revision": first.revision, "new_spec": JOB_SPEC.encode(item.spec)}
    transaction.execute_guarded(_REVISE, [row | {"new_revision": revision}])
    standings.revised(item.job, revision)
    body = JobRevised(item.job, item.spec, revision, item.by)
    change = transaction.add(Draft(item.at, body, tenant=first.tenant, job=item.job))
    change = settle(transaction, standings, item.job, item.at) or change
    standings.save()
    return Written(item.job, standings.state_of(item.job), change)
