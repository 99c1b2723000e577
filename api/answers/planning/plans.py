"""What is asked of the planner as the core has it, and what it says as the API tells it."""

from dataclasses import replace
from datetime import datetime

from api.answers.explanations import estimate_answer
from api.schemas.planning.answer import (
    ComparisonAnswer,
    FasterAnswer,
    FinishAnswer,
    FlagsAnswer,
    LeftOutAnswer,
    PlanAnswer,
    PlannedPoolAnswer,
    PlansAnswer,
    PlanSummaryAnswer,
    RefusalAnswer,
    StageTimesAnswer,
    TimelineAnswer,
    TrialAnswer,
)
from api.text.planning.plans import (
    comparison_text,
    devices_of,
    faster_text,
    finish_text,
    plan_text,
    trial_text,
    why_text,
)
from api.text.planning.refusals import left_out_text, refusal_text
from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.launching.flags import Flags
from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.found import BadProblem, DoesNotFit, LimitsForbid, NoPrecision, Refusal, TooSlow
from scheduler.services.planning.asked import Answered, Asked, Finish, LeftOut, TimelineCut, ToldPlan, Trial

_REFUSALS: dict[type, str] = {
    BadProblem: "bad_problem",
    NoPrecision: "no_precision",
    DoesNotFit: "does_not_fit",
    LimitsForbid: "limits_forbid",
    TooSlow: "too_slow",
}
_TERA = 1e12
_GBIT = 1e9 / 8


def plans_answer(answered: Answered, asked: Asked, now: datetime) -> PlansAnswer:
    """Return what the planner says of a training."""
    best = answered.plans[0].file.plan if answered.plans else None
    refusal = None if answered.refusal is None else _refusal(answered.refusal, asked.training, answered)
    text = plan_text(best) if best is not None else "" if refusal is None else refusal.text
    why = why_text(answered)
    return PlansAnswer(
        text=text,
        plans=tuple(_plan(told, why if place == 0 else "") for place, told in enumerate(answered.plans)),
        refusal=refusal,
        comparisons=() if best is None else _comparisons(answered, best),
        faster=() if best is None else _faster(answered, best),
        finishes=tuple(_finish(one, now) for one in answered.finishes),
        earlier=None if answered.earlier is None else _summary(answered.earlier),
        trial=None if answered.trial is None else _trial(answered.trial, asked),
        offered=tuple(map(_pool, answered.offered)),
        left_out=tuple(map(_left_out, answered.left_out)),
        profiles_used=answered.profiles_used,
        was_known=answered.was_known,
        change=answered.change,
        age_s=answered.age_s,
    )


def _plan(told: ToldPlan, why: str) -> PlanAnswer:
    return PlanAnswer(
        text=plan_text(told.file.plan),
        plan=replace(told.file, why=why).document,
        timeline=_timeline(told.timeline),
        megatron=_flags(told.megatron),
        flagscale=_flags(told.flagscale),
    )


def _timeline(timeline: TimelineCut) -> TimelineAnswer:
    return TimelineAnswer(
        micro_batches=timeline.micro_batches,
        computed_s=timeline.computed_s,
        stages=tuple(
            StageTimesAnswer(forward_s=forward, backward_s=backward)
            for forward, backward in zip(timeline.forward_s, timeline.backward_s, strict=True)
        ),
    )


def _flags(flags: Flags) -> FlagsAnswer:
    return FlagsAnswer(arguments=flags.arguments, hindrances=flags.hindrances, remarks=flags.remarks)


def _summary(plan: Plan) -> PlanSummaryAnswer:
    predicted = plan.prediction
    return PlanSummaryAnswer(
        devices=devices_of(plan),
        step_s=predicted.step_s,
        low_s=predicted.low_s,
        high_s=predicted.high_s,
        tokens_per_s=predicted.tokens_per_s,
        flops_utilisation=predicted.flops_utilisation,
        ideal_share=predicted.ideal_share,
    )


def _comparisons(answered: Answered, best: Plan) -> tuple[ComparisonAnswer, ...]:
    return tuple(
        ComparisonAnswer(
            way=one.way.value,
            vendor=one.vendor,
            text=comparison_text(one, best),
            plan=None if one.plan is None else _summary(one.plan),
            times_as_long=None if one.plan is None else one.plan.prediction.step_s / best.prediction.step_s,
        )
        for one in answered.comparisons
    )


def _faster(answered: Answered, best: Plan) -> tuple[FasterAnswer, ...]:
    return tuple(
        FasterAnswer(
            help=one.help.value,
            pool=one.pool,
            global_batch=one.global_batch,
            text=faster_text(one, best),
            plan=_summary(one.plan),
            part_less=one.token_part(best),
        )
        for one in answered.faster
    )


def _finish(finish: Finish, now: datetime) -> FinishAnswer:
    return FinishAnswer(
        chips=finish.chips,
        text=finish_text(finish, now),
        plan=_summary(finish.plan),
        starts_now=finish.starts is None and finish.latest is not None,
        starts=estimate_answer(finish.starts),
        earliest=finish.earliest,
        latest=finish.latest,
    )


def _trial(trial: Trial, asked: Asked) -> TrialAnswer:
    return TrialAnswer(text=trial_text(trial, asked.tried), next=trial.next, best=trial.best)


def _pool(pool: ChipPool) -> PlannedPoolAnswer:
    return PlannedPoolAnswer(
        name=pool.name,
        chip=pool.chip,
        vendor=pool.vendor,
        nodes=pool.nodes,
        chips_per_node=pool.chips_per_node,
        tflops=pool.flops_per_s / _TERA,
        is_estimate=pool.is_estimate,
        node_gbit_s=pool.node_link_bytes_per_s / _GBIT,
    )


def _left_out(left: LeftOut) -> LeftOutAnswer:
    return LeftOutAnswer(pool=left.pool, chip=left.chip, why=left.why.value, text=left_out_text(left))


def _refusal(refusal: Refusal, training: Training, answered: Answered) -> RefusalAnswer:
    missing, enough = None, None
    if isinstance(refusal, DoesNotFit):
        missing, enough = refusal.missing_bytes, refusal.enough_devices
    return RefusalAnswer.model_validate(
        {
            "why": _REFUSALS[type(refusal)],
            "text": refusal_text(refusal, training, answered.left_out),
            "missing_bytes": missing,
            "enough_devices": enough,
        }
    )
