"""Writing that room is kept for groups, and that it is kept no more."""

from collections.abc import Sequence

from sqlalchemy import delete

from scheduler.adapters.database.documents import PROMISE
from scheduler.adapters.database.schema.promises import reservations
from scheduler.adapters.database.transaction import Draft, Transaction
from scheduler.adapters.database.writes.standings import Standing, Standings
from scheduler.core.model.change import ReservationDropped, ReservationMade
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import GroupId, job_named_by
from scheduler.ports.journal import GiveRoomBack, KeepRoom, Outcome, Rejected, Rejection, Unchanged, Written


def keep(transaction: Transaction, items: Sequence[KeepRoom]) -> list[Outcome]:
    """Write promises, each in place of what was kept for its group before."""
    standings = Standings(transaction, (job_named_by(item.promise.group) for item in items))
    return [_keep_one(transaction, standings, item) for item in items]


def give_back(transaction: Transaction, items: Sequence[GiveRoomBack]) -> list[Outcome]:
    """Write that promises stand no more."""
    standings = Standings(transaction, (job_named_by(item.dropped.group) for item in items))
    return [_give_one_back(transaction, standings, item) for item in items]


def _keep_one(transaction: Transaction, standings: Standings, item: KeepRoom) -> Outcome:
    promise = item.promise
    standing = _led(transaction, standings, promise.group, item.epoch)
    if isinstance(standing, Rejected):
        return standing
    group = standing.group
    if group.state is not State.QUEUED:
        return Rejected(Rejection.ILLEGAL, f"{group.id} is {group.state}")
    row = {"group_id": group.id, "begins": promise.begins, "made_at": item.at, "promise": PROMISE.encode(promise)}
    transaction.insert_or_replace(reservations, [row])
    draft = Draft(item.at, ReservationMade(promise), tenant=standing.tenant, job=group.job_id)
    return Written(group.job_id, standings.state_of(group.job_id), transaction.add(draft))


def _give_one_back(transaction: Transaction, standings: Standings, item: GiveRoomBack) -> Outcome:
    dropped = item.dropped
    standing = _led(transaction, standings, dropped.group, item.epoch)
    if isinstance(standing, Rejected):
        return standing
    job = standing.group.job_id
    gone = transaction.connection.execute(delete(reservations).where(reservations.c.group_id == dropped.group))
    if not gone.rowcount:
        return Unchanged(job, standings.state_of(job))
    body = ReservationDropped(dropped.group, dropped.why)
    change = transaction.add(Draft(item.at, body, tenant=standing.tenant, job=job))
    return Written(job, standings.state_of(job), change)


def _led(transaction: Transaction, standings: Standings, group: GroupId, epoch: int) -> Standing | Rejected:
    if not transaction.leads(epoch):
        return Rejected(Rejection.STALE_EPOCH, str(epoch))
    return standings.find(group) or Rejected(Rejection.NOT_FOUND, group)
