"""Queues, their quotas and shares as the API shows them."""

from api.schemas.sharing.queues import ChipGroupAnswer, QueueAnswer, QueueBody, QueueQuotaAnswer, QueueQuotaBody
from api.schemas.sharing.shares import ChipHeldAnswer, QueueShareAnswer, QueueStandingAnswer, QuotaUseAnswer
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueCaps, QueueName, QueueQuota, ResourceName
from scheduler.services.questions.show_shares import QueueShare, QueueStanding, QuotaUse


def queue_answer(queue: Queue) -> QueueAnswer:
    """Return a queue."""
    return QueueAnswer(
        name=queue.name,
        parent=queue.parent,
        tenant=queue.tenant,
        weight=queue.weight,
        most_waiting=queue.caps.most_waiting,
        most_running=queue.caps.most_running,
        most_running_per_user=queue.caps.most_running_per_user,
        highest_priority=queue.caps.highest_priority,
    )


def queue_of(name: QueueName, body: QueueBody) -> Queue:
    """Return the queue that is asked for."""
    caps = QueueCaps(body.most_waiting, body.most_running, body.most_running_per_user, body.highest_priority)
    return Queue(name, body.parent, body.tenant, body.weight, caps)


def queue_quota_answer(quota: QueueQuota) -> QueueQuotaAnswer:
    """Return a quota."""
    return QueueQuotaAnswer(
        queue=quota.queue,
        resource=quota.resource,
        guaranteed=quota.guaranteed,
        limit=quota.limit,
        borrowing=quota.borrowing,
        lending=quota.lending,
    )


def quota_of(queue: QueueName, resource: ResourceName, body: QueueQuotaBody) -> QueueQuota:
    """Return the quota that is asked for."""
    return QueueQuota(queue, resource, body.guaranteed, body.limit, body.borrowing, body.lending)


def chip_group_answer(group: ChipGroup) -> ChipGroupAnswer:
    """Return a group of chip types."""
    return ChipGroupAnswer(name=group.name, chips=group.chips)


def share_answer(share: QueueShare) -> QueueShareAnswer:
    """Return what a queue is due, holds and held lately."""
    queue, whole = share.queue, share.compute_milli
    return QueueShareAnswer(
        queue=queue.name,
        parent=queue.parent,
        tenant=queue.tenant,
        weight=queue.weight,
        due=round(share.due, 6),
        held=round(share.compute_held_milli / whole, 6) if whole else 0.0,
        compute_due=round(share.due * whole / WHOLE_DEVICE_MILLI),
        compute_held=round(share.compute_held_milli / WHOLE_DEVICE_MILLI),
        compute_by_catalogue=round(share.compute_by_catalogue_milli / WHOLE_DEVICE_MILLI),
        running=share.running,
        waiting=share.waiting,
        chips=tuple(ChipHeldAnswer(chip=chip, devices=milli / WHOLE_DEVICE_MILLI) for chip, milli in share.chips),
        quotas=tuple(map(_quota_use, share.quotas)),
        standing=None if share.standing is None else _standing(share.standing),
    )


def _standing(standing: QueueStanding) -> QueueStandingAnswer:
    made = standing.made
    return QueueStandingAnswer(
        chip=made.chip,
        held=round(made.held, 6),
        recent=round(made.recent, 6),
        half_life_s=standing.half_life_s,
        share=round(made.share, 6),
        against_due=round(standing.against_due, 6),
    )


def _quota_use(use: QuotaUse) -> QuotaUseAnswer:
    quota = use.quota
    return QuotaUseAnswer(
        resource=quota.resource,
        guaranteed=quota.guaranteed,
        limit=quota.limit,
        borrowing=quota.borrowing,
        lending=quota.lending,
        held=use.held_milli / WHOLE_DEVICE_MILLI,
        borrowed=use.borrowed_milli / WHOLE_DEVICE_MILLI,
    )
