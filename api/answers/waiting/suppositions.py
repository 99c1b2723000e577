"""What is supposed as the core has it, and what would follow as the API tells it."""

from api.answers.explanations import estimate_answer
from api.answers.reasons import reason_answers
from api.schemas.waiting.suppositions import (
    CapacityShiftAnswer,
    DrainBody,
    JobWhatIfAnswer,
    JobWhatIfsAnswer,
    LeavingAnswer,
    ShareShiftAnswer,
    ShiftAnswer,
    ShrinkingAnswer,
    StartingAnswer,
    WaitsAnswer,
    WhatIfAnswer,
    WhatIfBody,
)
from api.text.waiting.suppositions import consequences_text, job_prospect_text
from scheduler.core.model.asking.consequences import (
    Consequences,
    JobConsequence,
    JobProspect,
    Leaving,
    Shift,
    Shrinking,
    Starting,
    Waits,
)
from scheduler.core.model.asking.suppositions import AddNodes, DrainNodes, SetQuota, SetWeight, Supposition
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.job import AnyOf, JobSpec
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.services.questions.suppose import Answered

_DIGITS = 6


def suppositions_of(body: WhatIfBody) -> tuple[tuple[str, Supposition], ...]:
    """Return what is supposed, each with where in the body it stands."""
    drains: list[Supposition] = [_drain(one) for one in body.drain]
    adds: list[Supposition] = [AddNodes(one.like, one.count, one.cluster) for one in body.add]
    quotas: list[Supposition] = [
        SetQuota(QueueQuota(one.queue, one.resource, one.guaranteed, one.limit, one.borrowing, one.lending))
        for one in body.quotas
    ]
    weights: list[Supposition] = [SetWeight(one.queue, one.weight) for one in body.weights]
    parts = {"drain": drains, "add": adds, "quotas": quotas, "weights": weights}
    return tuple((f"/{name}/{at}", one) for name, ones in parts.items() for at, one in enumerate(ones))


def _drain(body: DrainBody) -> DrainNodes:
    name, _, value = (body.where or "").partition("=")
    where = (name, value) if body.where else None
    return DrainNodes(body.nodes, body.like, where, body.count, body.runs_on)


def what_if_answer(answered: Answered) -> WhatIfAnswer:
    """Return what would follow."""
    found, job = answered.consequences, answered.job
    job_answer = None if job is None else _job(job.prospect, None)
    return WhatIfAnswer(
        text=" ".join(
            [*([] if found is None else [consequences_text(found)]), *([] if job_answer is None else [job_answer.text])]
        ),
        drained=() if found is None else found.drained,
        drained_count=0 if found is None else found.drained_count,
        added=0 if found is None else found.added,
        leaving=() if found is None else tuple(map(_leaving, found.leaving)),
        leaving_count=0 if found is None else found.leaving_count,
        placed_again=0 if found is None else found.placed_again,
        shrinking=() if found is None else tuple(map(_shrinking, found.shrinking)),
        shrinking_count=0 if found is None else found.shrinking_count,
        starting=() if found is None else tuple(map(_starting, found.starting)),
        starting_count=0 if found is None else found.starting_count,
        waits=None if found is None else _waits(found.waits),
        shares=() if found is None else _shares(found),
        capacity=() if found is None else _capacity(found),
        job=job_answer,
        others=() if job is None else _others(job, None),
        change=answered.change,
        age_s=answered.age_s,
    )


def job_what_ifs_answer(job: JobConsequence, answered: Answered, you: TenantName | None) -> JobWhatIfsAnswer:
    """Return what would become of one's own job."""
    return JobWhatIfsAnswer(
        job=_job(job.prospect, you), others=_others(job, you), change=answered.change, age_s=answered.age_s
    )


def _others(job: JobConsequence, you: TenantName | None) -> tuple[JobWhatIfAnswer, ...]:
    return tuple(_job(each, you) for each in job.others)


def _job(prospect: JobProspect, you: TenantName | None) -> JobWhatIfAnswer:
    placed, waits = bool(prospect.places), bool(prospect.reasons)
    return JobWhatIfAnswer(
        outcome="refused" if prospect.is_hopeless else "waits" if not placed else "partly" if waits else "placed",
        text=job_prospect_text(prospect, you),
        chips=_chips(prospect.job.spec),
        nodes=prospect.places,
        reasons=reason_answers(prospect.reasons, you),
        position=prospect.position if waits and not prospect.is_hopeless else None,
        estimate=estimate_answer(prospect.expected),
    )


def _chips(spec: JobSpec) -> tuple[str, ...]:
    return spec.chips.chips if isinstance(spec.chips, AnyOf) else tuple(chip for chip, _ in spec.chips.workers if chip)


def _leaving(one: Leaving) -> LeavingAnswer:
    return LeavingAnswer(
        job=one.job.id,
        group=one.group,
        name=one.job.spec.name,
        tenant=one.job.tenant,
        cause=one.cause,
        devices=one.devices_milli / WHOLE_DEVICE_MILLI,
        workers=one.workers,
        nodes=one.nodes,
        beneficiary=one.beneficiary,
        goes_to=one.goes_to,
        goes_on_with=one.goes_on_with or None,
        after_others=one.after_others,
        estimate=estimate_answer(one.waits),
    )


def _shrinking(one: Shrinking) -> ShrinkingAnswer:
    return ShrinkingAnswer(
        job=one.job.id,
        group=one.group,
        name=one.job.spec.name,
        tenant=one.job.tenant,
        cause=one.cause,
        workers_before=one.workers_before,
        workers_after=one.workers_after,
        gives=one.gives_milli / WHOLE_DEVICE_MILLI,
        devices=one.devices_milli / WHOLE_DEVICE_MILLI,
        nodes=one.nodes,
        beneficiary=one.beneficiary,
    )


def _starting(one: Starting) -> StartingAnswer:
    return StartingAnswer(
        job=one.job.id,
        group=one.group,
        name=one.job.spec.name,
        tenant=one.job.tenant,
        nodes=one.nodes,
        after_others=one.after_others,
        estimate_before=estimate_answer(one.was),
    )


def _waits(waits: Waits) -> WaitsAnswer:
    return WaitsAnswer(
        waiting=waits.waiting,
        looked_at=waits.looked_at,
        longer=waits.longer,
        shorter=waits.shorter,
        alike=waits.alike,
        never=waits.never,
        shifts=tuple(map(_shift, waits.shifts)),
    )


def _shift(one: Shift) -> ShiftAnswer:
    return ShiftAnswer(
        job=one.job.id,
        group=one.group,
        name=one.job.spec.name,
        tenant=one.job.tenant,
        before=estimate_answer(one.before),
        after=estimate_answer(one.after),
        later_s=one.later_s,
    )


def _shares(found: Consequences) -> tuple[ShareShiftAnswer, ...]:
    return tuple(
        ShareShiftAnswer(
            queue=one.queue,
            due_before=round(one.due_before, _DIGITS),
            due_after=round(one.due_after, _DIGITS),
            held_before=round(one.held_before, _DIGITS),
            held_after=round(one.held_after, _DIGITS),
        )
        for one in found.shares
    )


def _capacity(found: Consequences) -> tuple[CapacityShiftAnswer, ...]:
    return tuple(CapacityShiftAnswer(chip=one.chip, before=one.before, after=one.after) for one in found.capacity)
