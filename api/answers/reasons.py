"""Reasons as the API shows them."""

from collections.abc import Iterable
from typing import assert_never

from api.schemas.reason import (
    ArrayIsFullAnswer,
    BackingOffAnswer,
    CannotFollowAnswer,
    CannotServeAnswer,
    HolderAnswer,
    KeptApartAnswer,
    KeptForAnswer,
    KeptForOthersAnswer,
    LimitAnswer,
    MeasuredUnits,
    NearestShapeAnswer,
    NeverFitsAnswer,
    NoClusterAnswer,
    QueueIsFullAnswer,
    QuotaExceededAnswer,
    ReasonAnswer,
    RoomIsMadeAnswer,
    TooFewFreeAnswer,
    WaitsForArrayAnswer,
    WaitsForJobAnswer,
)
from api.text.reasons import reason_text
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.reason import (
    ArrayIsFull,
    BackingOff,
    CannotFollow,
    CannotServe,
    KeptApart,
    KeptFor,
    KeptForOthers,
    Limit,
    NearestShape,
    NeverFits,
    NoCluster,
    QueueIsFull,
    QuotaExceeded,
    Reason,
    RoomIsMade,
    TooFewFree,
    WaitsForArray,
    WaitsForJob,
)


def reason_answers(reasons: Iterable[Reason], you: TenantName | None) -> tuple[ReasonAnswer, ...]:
    """Return the reasons in their order; `you` is the reader's tenant."""
    return tuple(_reason_answer(reason, reason_text(reason, you), you) for reason in reasons)


def _reason_answer(  # noqa: C901, PLR0911 - one answer per kind
    reason: Reason, text: str, you: TenantName | None
) -> ReasonAnswer:
    match reason:
        case TooFewFree():
            return TooFewFreeAnswer(
                text=text,
                cluster=reason.cluster,
                chip=reason.chip,
                workers=reason.workers,
                devices_per_worker=reason.devices_per_worker,
                workers_fit=reason.workers_fit,
                nodes_fit=reason.nodes_fit,
                devices_free=reason.devices_free,
                devices_drained=reason.devices_drained,
                holders=tuple(HolderAnswer(tenant=held.tenant, devices=held.devices) for held in reason.holders),
                limit=_limit(reason.limit),
                level=reason.level,
                workers_fit_anywhere=reason.workers_fit_anywhere,
                devices_reserved=reason.devices_reserved,
                role=reason.role,
                nearest=_nearest(reason.nearest),
                kept_apart=_kept_apart(reason.kept_apart),
            )
        case NeverFits():
            return _never_fits(reason, text)
        case QuotaExceeded():
            return QuotaExceededAnswer(
                text=text,
                queue=reason.queue,
                resource=reason.resource,
                limit=reason.limit,
                used=reason.used,
                asked=reason.asked,
                cause=reason.cause,
                kept_for=reason.kept_for,
                measured=tuple(MeasuredUnits(chip=chip, units=units) for chip, units in reason.measured),
            )
        case QueueIsFull(queue, most_running, user):
            return QueueIsFullAnswer(text=text, queue=queue, most_running=most_running, user=user)
        case BackingOff(until, failures, retries):
            return BackingOffAnswer(text=text, until=until, failures=failures, retries=retries)
        case NoCluster():
            return NoClusterAnswer(text=text)
        case CannotServe(cluster, mismatch, asked, offered):
            return CannotServeAnswer(text=text, cluster=cluster, mismatch=mismatch, asked=asked, offered=offered)
        case WaitsForJob() | WaitsForArray() | CannotFollow():
            return _after_others(reason, text)
        case ArrayIsFull(array, most_at_once):
            return ArrayIsFullAnswer(text=text, array=array, most_at_once=most_at_once)
        case KeptForOthers():
            return _kept_for_others(reason, text, you)
        case RoomIsMade(attempts, until, giving):
            return RoomIsMadeAnswer(text=text, attempts=attempts, until=until, giving=giving)
    assert_never(reason)


def _after_others(reason: WaitsForJob | WaitsForArray | CannotFollow, text: str) -> ReasonAnswer:
    match reason:
        case WaitsForJob(job, condition):
            return WaitsForJobAnswer(text=text, job=job, condition=condition)
        case WaitsForArray(array, condition, ended, jobs):
            return WaitsForArrayAnswer(text=text, array=array, condition=condition, ended=ended, jobs=jobs)
        case CannotFollow(array, became, True):
            return CannotFollowAnswer(text=text, job=None, array=array, became=became)
        case CannotFollow(job, became):
            return CannotFollowAnswer(text=text, job=job, array=None, became=became)
    assert_never(reason)


def _never_fits(reason: NeverFits, text: str) -> NeverFitsAnswer:
    return NeverFitsAnswer(
        text=text,
        cluster=reason.cluster,
        chip=reason.chip,
        workers=reason.workers,
        devices_per_worker=reason.devices_per_worker,
        workers_fit_empty=reason.workers_fit_empty,
        largest_node_devices=reason.largest_node_devices,
        limit=_limit(reason.limit),
        level=reason.level,
        role=reason.role,
        nearest=_nearest(reason.nearest),
    )


def _kept_for_others(reason: KeptForOthers, text: str, you: TenantName | None) -> KeptForOthersAnswer:
    those = tuple(_kept_for(each, you) for each in reason.kept)
    return KeptForOthersAnswer(text=text, kept=those, overtakes_with_time_limit_s=reason.overtakes_s)


def _kept_for(kept: KeptFor, you: TenantName | None) -> KeptForAnswer:
    return KeptForAnswer(
        tenant=kept.tenant,
        job=kept.job if you in (None, kept.tenant) else None,
        begins=kept.begins,
        devices=dict(kept.devices),
        nodes=kept.nodes,
    )


def _limit(limit: Limit) -> LimitAnswer:
    return LimitAnswer(resource=limit.resource, asked=limit.asked, most=limit.most)


def _nearest(shape: NearestShape | None) -> NearestShapeAnswer | None:
    if shape is None:
        return None
    return NearestShapeAnswer(workers=shape.workers, devices_per_worker=shape.devices_per_worker, level=shape.level)


def _kept_apart(kept: KeptApart | None) -> KeptApartAnswer | None:
    if kept is None:
        return None
    return KeptApartAnswer(level=kept.level, domains=kept.domains, workers_fit=kept.workers_fit)
