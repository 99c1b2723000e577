"""Queues and their quotas in words."""

from typing import assert_never

from api.text.words import count, listed
from scheduler.core.model.change import (
    ChipGroupRemoved,
    ChipGroupSet,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueRemoved,
    QueueSet,
)
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.reason import QueueIsFull, QuotaExceeded
from scheduler.core.model.sharing.queue import COMPUTE, QueueName, QueueQuota, QuotaCause, ResourceName

SharingChange = QueueSet | QueueRemoved | QueueQuotaSet | QueueQuotaLifted | ChipGroupSet | ChipGroupRemoved


def sharing_text(change: SharingChange) -> str:
    """Return what became of the queues, in a clause."""
    match change:
        case QueueSet(queue):
            where = f" in queue {queue.parent}" if queue.parent else ""
            return f"queue {queue.name}{where} has weight {queue.weight}"
        case QueueRemoved(name):
            return f"queue {name} was removed"
        case QueueQuotaSet(quota):
            return f"queue {quota.queue} {_figures(quota)}"
        case QueueQuotaLifted(name, resource):
            return f"queue {name} has no quota of {resource} any more"
        case ChipGroupSet(group):
            return f"{listed(group.chips, 'and')} count together as {group.name}"
        case ChipGroupRemoved(resource):
            return f"the group {resource} of chip types was removed"
    assert_never(change)


def quota_text(reason: QuotaExceeded | QueueIsFull, you: TenantName | None) -> str:
    """Return what a queue may hold and does, in a clause; `you` is the reader's tenant."""
    if isinstance(reason, QueueIsFull):
        whose = "" if reason.user is None else f" of {reason.user}"
        return f"{_named(reason.queue, you)} runs {count(reason.most_running, 'job')}{whose} at once, and so many run"
    held = f"{reason.used:,} are held and {reason.asked:,} more are asked for{_by_measure(reason)}"
    most = amount(reason.resource, reason.limit)
    match reason.cause:
        case QuotaCause.LIMIT:
            return f"{_whose(reason.queue, you)} quota for {reason.resource} is {most}; {held}"
        case QuotaCause.BORROWING:
            return (
                f"{_whose(reason.queue, you)} guaranteed share of {reason.resource} and what it may borrow are {most}; "
                f"{held}"
            )
        case QuotaCause.KEPT_BACK:
            others, yours = listed(reason.kept_for, "and"), _named(reason.queue, you)
            kept = f"{others} lend no more of the {reason.resource} that is guaranteed to them"
            return f"{kept}: {yours} may hold {most} now; {held}"
    assert_never(reason.cause)


def within_quota(reason: QuotaExceeded) -> str:
    """Return what the user can do about a quota."""
    if reason.cause is QuotaCause.KEPT_BACK:
        return "wait until others end, or ask an operator for a larger guaranteed share"
    if not reason.limit:
        return f"choose another chip type, or ask an operator for a quota of {reason.resource}"
    if reason.asked > reason.limit:
        most = amount(reason.resource, reason.limit)
        return f"ask for at most {most} of {reason.resource}, or ask an operator for more quota"
    return f"wait until jobs of queue {reason.queue} end, cancel one of yours there, or ask an operator for more quota"


def amount(resource: ResourceName, number: int) -> str:
    """Return so much of a resource in its unit."""
    return count(number, "unit" if resource == COMPUTE else "device")


def _by_measure(reason: QuotaExceeded) -> str:
    if not reason.measured:
        return ""
    figures = listed([f"{units:,} for each {chip}" for chip, units in reason.measured], "and")
    return f", by how fast its family is: {figures}"


def _figures(quota: QueueQuota) -> str:
    parts = [f"is guaranteed {quota.guaranteed} {quota.resource}"] if quota.guaranteed else []
    if quota.limit is not None:
        parts.append(f"may hold {quota.limit} {quota.resource} at once")
    if quota.borrowing is not None:
        parts.append(f"borrows {quota.borrowing} at most")
    if quota.lending is not None:
        parts.append(f"lends {quota.lending} at most")
    return listed(parts or [f"has no limit on {quota.resource}"], "and")


def _named(queue: QueueName, you: TenantName | None) -> str:
    return "your queue" if queue == you else f"queue {queue}"


def _whose(queue: QueueName, you: TenantName | None) -> str:
    return "your" if queue == you else f"queue {queue}'s"
