"""The answer to "why is my job where it is"."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from api.answers.jobs import worker_answer
from api.answers.reasons import reason_answers
from api.answers.specs import spec_answer
from api.answers.waiting.moves import move_answers
from api.answers.waiting.remedies import remedy_answers
from api.answers.waiting.standings import standing_answer
from api.schemas.arrays.answers import ArrayProspectAnswer
from api.schemas.job import DryRunAnswer, DryRunOutcome
from api.schemas.reason import EstimateAnswer, EstimateRecordAnswer, WhyAnswer
from api.schemas.serving.answers import ReplicaProspectAnswer
from api.text.advice import advice
from api.text.reasons import reason_text
from api.text.stops import stop_advice, stop_text
from api.text.waiting.estimates import estimate_text
from api.text.words import count, date_and_time, listed, ordinal
from scheduler.core.model.asking.remedies import FewerDevices, FewerWorkers, Remedy, Wishful, Without
from scheduler.core.model.decision import GivenPlace, Place
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import NodeId, TenantName
from scheduler.core.model.job import AnyOf, ArrayWish, Job, JobSpec
from scheduler.core.model.reason import CannotServe, NearestShape, NeverFits, Reason, TooFewFree
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate
from scheduler.core.model.waiting.record import Record
from scheduler.ports.views import JobView
from scheduler.services.explain_job import JobExplanation
from scheduler.services.questions.advise import NO_ADVICE, Advice
from scheduler.services.questions.try_job import Tried

MOST_NODES_NAMED = 4


def waiting_answer(
    view: JobView, explained: JobExplanation, you: TenantName | None, advised: Advice = NO_ADVICE
) -> WhyAnswer:
    """Return why a job waits, from the explanation of its first waiting group."""
    first = explained.explanations[0]
    return WhyAnswer(
        job=view.job.id,
        state=view.state if view.job.spec.serves else State.QUEUED,
        reasons=reason_answers(first.reasons, you),
        position=first.position,
        ahead=first.ahead,
        standing=None if first.standing is None else standing_answer(first.standing),
        text=_waiting_text(view, explained, you),
        next=_waiting_advice(first.reasons, view.job, advised),
        estimate=estimate_answer(first.estimate),
        remedies=remedy_answers(view.job.spec, advised),
        moves=move_answers(advised.moves, you),
        change=explained.change,
        age_s=explained.age_s,
    )


def estimate_answer(estimate: Estimate | NoEstimate | None) -> EstimateAnswer | None:
    """Return when a job is expected to start; None where that is not known."""
    if estimate is None:
        return None
    text, made_at = estimate_text(estimate), estimate.made_at
    if isinstance(estimate, NoEstimate):
        return EstimateAnswer(text=text, earliest=None, latest=None, basis=None, unknown=estimate.why, made_at=made_at)
    return EstimateAnswer(
        text=text,
        earliest=estimate.earliest,
        latest=estimate.latest,
        basis=estimate.basis,
        unknown=None,
        made_at=made_at,
        record=None if estimate.record is None else _record_answer(estimate.record),
    )


def _record_answer(record: Record) -> EstimateRecordAnswer:
    return EstimateRecordAnswer(
        scored=record.scored, half_within=round(record.half_within, 2), in_range=round(record.in_range, 3)
    )


def settled_answer(
    view: JobView,
    refusal: Sequence[Reason],
    explained: JobExplanation,
    you: TenantName | None,
    advised: Advice = NO_ADVICE,
) -> WhyAnswer:
    """Return where a job stands that does not wait; `refusal` is why it was refused, if it was."""
    return WhyAnswer(
        job=view.job.id,
        state=view.state,
        reasons=reason_answers(refusal, you),
        position=None,
        ahead=None,
        text=_refusal_text(refusal, you) if refusal else _state_text(view),
        next=advice(refusal[0], view.job.id) if refusal else _next_step(view),
        estimate=None,
        remedies=remedy_answers(view.job.spec, advised),
        change=explained.change,
        age_s=explained.age_s,
    )


def prospect_answer(
    tried: Tried, you: TenantName | None, estimate: Estimate | NoEstimate | None = None
) -> DryRunAnswer:
    """Return what would become of a job that is not submitted."""
    prospect, spec = tried.prospect, tried.job.spec
    first = prospect.places[0] if prospect.places else GivenPlace(())
    notes = {note.rank: note for note in first.notes}
    outcome = _outcome(tried)
    return DryRunAnswer(
        outcome=outcome,
        text=_prospect_text(tried, you),
        next=_prospect_advice(tried),
        remedies=remedy_answers(spec, tried.advice),
        spec=spec_answer(spec),
        workers=tuple(worker_answer(one, None, notes.get(one.rank)) for one in first.allocations),
        replicas=_replica_prospect(tried) if spec.serves else None,
        array=None if tried.array is None else _array_prospect(tried.array, tried),
        reasons=reason_answers(prospect.reasons, you),
        position=prospect.position if outcome in ("waits", "partly") else None,
        standing=standing_answer(prospect.standing),
        objecting_clusters=spec.objecting_clusters,
        estimate=estimate_answer(estimate),
        change=tried.change,
        age_s=tried.age_s,
    )


def _outcome(tried: Tried) -> DryRunOutcome:
    if tried.prospect.is_hopeless:
        return "refused"
    if not tried.prospect.places:
        return "waits"
    return "partly" if tried.prospect.reasons else "placed"


def _replica_prospect(tried: Tried) -> ReplicaProspectAnswer:
    places = tried.prospect.places
    return ReplicaProspectAnswer(
        wanted=tried.job.replicas, placed=len(places), nodes=tuple(tuple(_nodes(place)) for place in places)
    )


def _array_prospect(array: ArrayWish, tried: Tried) -> ArrayProspectAnswer:
    placed = len(tried.prospect.places)
    return ArrayProspectAnswer(wanted=array.count, at_once=array.at_once, tried=tried.jobs, placed=placed)


def _nodes(*places: Place) -> list[NodeId]:
    return list(dict.fromkeys(allocation.node for place in places for allocation in place.allocations))


def _prospect_text(tried: Tried, you: TenantName | None) -> str:
    prospect = tried.prospect
    why = "; ".join(reason_text(reason, you) for reason in prospect.reasons)
    if prospect.is_hopeless:
        text = f"It would be refused, because it can never run as asked: {why}"
    elif prospect.places:
        text = f"{_who_is_placed(tried)} would be placed at once, on {_named(_nodes(*prospect.places))}"
        waiting = tried.wanted - len(prospect.places)
        if why:
            text += f"; {waiting:,} more would wait beside them, {ordinal(prospect.position)} in the queue: {why}"
        elif _is_cut(tried):
            text += f"; the other {waiting:,} were not tried"
        elif waiting:
            text += f"; {waiting:,} more would follow as these end"
    else:
        text = f"It would wait, {ordinal(prospect.position)} in the queue: {why}"
    return f"{text}{_left_out(tried.job.spec)}."


def _who_is_placed(tried: Tried) -> str:
    wanted, placed = tried.wanted, len(tried.prospect.places)
    if wanted == 1:
        return "It"
    them = f"{wanted:,} {'replicas' if tried.array is None else 'jobs'}"
    if placed == wanted:
        return f"All {them}"
    return f"{'At least ' if _is_cut(tried) else ''}{placed:,} of {them}"


def _is_cut(tried: Tried) -> bool:
    """Say whether those that were tried all have places, and more of the array might have."""
    return tried.array is not None and not tried.prospect.reasons and tried.jobs < tried.array.at_once


def _named(nodes: Sequence[NodeId]) -> str:
    more = len(nodes) - MOST_NODES_NAMED
    return listed([*nodes[:MOST_NODES_NAMED], *([count(more, "more node")] if more > 0 else [])], "and")


def _prospect_advice(tried: Tried) -> str:
    reasons, placed = tried.prospect.reasons, len(tried.prospect.places)
    if not reasons:
        return "submit it"
    if placed:
        fewer = "" if tried.array else f"; or submit it with {count(placed, 'replica')}"
        return f"submit it, and the others start once there is room{fewer}"
    return _advice(reasons[0], tried.job, tried.advice)


def _left_out(spec: JobSpec) -> str:
    if not spec.objecting_clusters:
        return ""
    clusters = listed([f"cluster {name}" for name in spec.objecting_clusters], "and")
    return f"; left out is what would not run it: {clusters}"


def _waiting_text(view: JobView, explained: JobExplanation, you: TenantName | None) -> str:
    first = explained.explanations[0]
    who, reasons = _who_waits(view.job, len(explained.explanations)), first.reasons
    place = f"{who}, {ordinal(first.position)} in the queue"
    if not reasons:
        return f"{place}; nothing blocks it and it is placed in a moment."
    more = "" if len(reasons) == 1 else f" ({count(len(reasons) - 1, 'more reason')})"
    if isinstance(reasons[0], NeverFits):
        more += "; it would not fit even if all of them were free, and waits for other nodes"
    if isinstance(reasons[0], CannotServe):
        more += "; it waits for other nodes"
    more += _left_out(view.job.spec)
    when = "" if first.estimate is None else f"; {estimate_text(first.estimate)}"
    return f"{place}: {reason_text(reasons[0], you)}{more}{when}."


def _who_waits(job: Job, groups: int) -> str:
    if not job.spec.serves or groups >= job.replicas:
        return "It waits"
    return f"{groups:,} of its {job.replicas:,} replicas {'waits' if groups == 1 else 'wait'}"


def _waiting_advice(reasons: Sequence[Reason], job: Job, advised: Advice) -> str:
    if not reasons:
        return "nothing: it is placed in a moment"
    wait = "wait for other nodes, or " if isinstance(reasons[0], NeverFits | CannotServe) else ""
    return f"{wait}{_advice(reasons[0], job, advised)}"


def _advice(reason: Reason, job: Job, advised: Advice) -> str:
    """Return what can be done about a reason; the shape that is nearest by numbers only where one like it starts."""
    is_tried = isinstance(job.spec.chips, AnyOf) and not job.spec.roles
    if isinstance(reason, TooFewFree) and reason.nearest is not None and is_tried:
        starts = any(_is_like(one, reason, reason.nearest) for one in advised.remedies)
        return advice(reason if starts else replace(reason, nearest=None), job.id)
    return advice(reason, job.id)


def _is_like(remedy: Remedy, reason: TooFewFree, nearest: NearestShape) -> bool:
    """Say whether what lets a job start is, or is less of a change than, the nearest shape."""
    if nearest.workers != reason.workers:
        return isinstance(remedy, FewerWorkers) and remedy.workers >= nearest.workers
    if nearest.devices_per_worker != reason.devices_per_worker:
        return isinstance(remedy, FewerDevices) and remedy.devices_per_worker >= nearest.devices_per_worker
    return remedy == Without(Wishful.CLOSENESS)


def _refusal_text(reasons: Sequence[Reason], you: TenantName | None) -> str:
    return f"It was refused, because it can never run as asked: {'; '.join(reason_text(r, you) for r in reasons)}."


def _stop_reason(view: JobView) -> StopReason | None:
    return next((group.stop_reason for group in view.groups if group.stop_reason is not None), None)


def _because(view: JobView) -> str:
    reason = _stop_reason(view)
    said = "" if view.refusal is None else f" ({view.refusal})"
    return "." if reason is None else f": {stop_text(reason)}{said}."


def _state_text(view: JobView) -> str:  # noqa: PLR0911 - one sentence per state
    latest = view.attempts[-1] if view.attempts else None
    match view.state:
        case State.QUEUED:
            return "It waits and is looked at in a moment."
        case State.PLACED:
            return "It holds its devices; its workers are about to start."
        case State.STARTING:
            return "Its workers are starting."
        case State.RUNNING:
            started = latest.started_at if latest else None
            return "It runs." if started is None else f"It has run since {date_and_time(started)}."
        case State.STOPPING:
            return f"It is being stopped{_because(view)}"
        case State.SUCCEEDED:
            return "It succeeded: every worker ended with exit code 0."
        case State.FAILED:
            return f"It failed{_because(view)}"
        case State.CANCELLED:
            return "It was cancelled."
    assert_never(view.state)


def _next_step(view: JobView) -> str | None:
    reason = _stop_reason(view)
    match view.state:
        case State.RUNNING | State.STARTING:
            return f"follow it with `medley logs -f {view.job.id}`"
        case State.SUCCEEDED:
            return f"read its output with `medley logs {view.job.id}`"
        case State.FAILED | State.STOPPING:
            return None if reason is None else stop_advice(reason, view.job.id)
    return None
