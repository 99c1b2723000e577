"""For the workers of an attempt: meeting each other, and reporting."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.context import ApiContext
from api.problems import Code, FieldError, refuse
from api.schemas.queries import RendezvousQuery
from api.schemas.usage.profiles import LearntAnswer, RefusedStageAnswer, StageBody, StagesAnswer, StagesBody
from api.schemas.workers import (
    GenerationAnswer,
    HeartbeatAnswer,
    HeartbeatBody,
    ProgressBody,
    RendezvousAnswer,
    RendezvousBody,
)
from api.streaming.waiting import wait_until
from api.text.training.stages import refused_stage_text
from api.web.dependencies import Claim, Context
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT
from api.web.outcomes import attempt_closed, refuse_report
from scheduler.core.model.attempt import Progress
from scheduler.core.model.measuring.layers import ProfileKey
from scheduler.core.model.measuring.stages import EndsInLayers, StageTime
from scheduler.ports.journal import Rejected
from scheduler.services.access.attempt_tokens import AttemptClaim
from scheduler.services.heartbeats.hearing import Said
from scheduler.services.measuring.learn_layers import learn_layers
from scheduler.services.report_worker import TrainingReport
from scheduler.services.report_worker import register_rendezvous as keep_address
from scheduler.services.report_worker import report_progress as keep_report

router = APIRouter(prefix="/v1/attempts/{attempt}", tags=["workers"], route_class=GuardedRoute)


@router.put("/rendezvous", operation_id="register_rendezvous", status_code=204, responses=CONFLICT)
def register_rendezvous(body: RendezvousBody, context: Context, claim: Claim) -> Response:
    """Say where rank 0 listens; a second call replaces the first."""
    claim = _speaking_for(claim, body.generation, "/generation")
    outcome = keep_address(context.journal, context.clock, claim, body.address)
    if isinstance(outcome, Rejected):
        raise refuse_report(outcome)
    # No entry of the change feed tells of an address, so no hint does either.
    context.wake_up.notify()
    return Response(status_code=204)


@router.get("/rendezvous", operation_id="find_rendezvous", responses=CONFLICT)
async def find_rendezvous(
    context: Context, claim: Claim, query: Annotated[RendezvousQuery, Query()]
) -> RendezvousAnswer:
    """Ask where rank 0 listens, waiting for it to say so; where it has not, ask again."""
    claim = _speaking_for(claim, query.generation, "/query/generation")
    await run_in_threadpool(_require_open, context, claim)

    def look() -> str | None:
        return context.views.rendezvous(claim.attempt, claim.generation)

    address = await wait_until(look, lambda found: found is not None, context.wake_up, wait_s=query.wait_s)
    if address is None:
        await run_in_threadpool(_require_open, context, claim)
        raise refuse(Code.RENDEZVOUS_NOT_READY, "Its address is not known yet.", "ask again")
    return RendezvousAnswer(address=address)


@router.post("/progress", operation_id="report_progress", status_code=204, responses=CONFLICT)
def report_progress(body: ProgressBody, context: Context, claim: Claim) -> Response:
    """Report a step of the training. Reports closer together than 0.2 s are thinned out, the last step's is not."""
    claim = _speaking_for(claim, body.generation, "/generation")
    report = TrainingReport(body.step, body.steps, body.loss, body.tokens_per_s)
    outcome = keep_report(context.journal, context.clock, claim, report)
    if isinstance(outcome, Rejected):
        raise refuse_report(outcome)
    return Response(status_code=204)


@router.post("/stages", operation_id="report_stages", responses=CONFLICT)
def report_stages(body: StagesBody, context: Context, claim: Claim) -> StagesAnswer:
    """Report what the stages of the attempt's pipeline took: plans of its family start from it.

    All stages belong in one report: one alone does not say what its embedding or head takes, unless the plan does.
    """
    claim = _speaking_for(claim, body.generation, "/generation")
    stages = [_stage(one) for one in body.stages]
    ends = None if body.ends is None else EndsInLayers(body.ends.embedding, body.ends.head)
    found = learn_layers(context.profiles, context.followed, context.clock, claim, stages, ends=ends)
    if isinstance(found, Rejected):
        raise refuse_report(found)
    places = {id(stage): place for place, stage in enumerate(stages)}
    refused = [
        RefusedStageAnswer(stage=places[id(one.stage)], code=one.cause, text=refused_stage_text(one))
        for one in found.refused
    ]
    learnt = (
        LearntAnswer(
            chip=one.key.chip,
            tensor_parallel=one.key.tensor_parallel,
            micro_batch=one.key.micro_batch,
            version=one.version,
        )
        for one in found.learnt
    )
    return StagesAnswer(learnt=tuple(learnt), refused=tuple(sorted(refused, key=lambda one: one.stage)))


@router.post("/heartbeat", operation_id="beat", responses=CONFLICT)
def beat(body: HeartbeatBody, context: Context, claim: Claim) -> HeartbeatAnswer:
    """Give a sign of life. After the first one, silence for the job's `silence_limit_s` ends the attempt."""
    claim = _speaking_for(claim, body.generation, "/generation")
    told = body.progress
    progress = None
    if told is not None:
        progress = Progress(told.step, told.steps, told.loss, told.tokens_per_s, context.clock.now())
    said = Said(body.reports, body.memory_mib, body.device_memory_mib, body.checkpoint_step, progress)
    heard = context.hearing.hear(claim, said)
    if isinstance(heard, Rejected):
        raise refuse_report(heard)
    return HeartbeatAnswer(next_s=heard.next_s, is_kept=heard.is_kept, generation=heard.generation)


@router.get("/generation", operation_id="find_generation", responses=CONFLICT)
def find_generation(context: Context, claim: Claim) -> GenerationAnswer:
    """Ask which generation the attempt's workers are to be of, and how many they are then.

    It is the latest one, once all workers that it needs run; who has a rank below its size is one of it.
    """
    context.followed.follow()  # it is asked seldom, and another process may have called
    live = context.followed.live_attempt(claim.attempt)
    if live is None:
        raise attempt_closed()
    return GenerationAnswer(generation=live.resizing.called, world_size=live.called_size)


def _stage(body: StageBody) -> StageTime:
    key = ProfileKey(body.chip, body.tensor_parallel, body.micro_batch)
    return StageTime(
        key=key,
        layers=body.layers,
        has_embedding=body.has_embedding,
        has_head=body.has_head,
        recomputes=body.recomputes,
        forward_s=body.forward_s,
        backward_s=body.backward_s,
        update_s=body.update_s,
    )


def _require_open(context: ApiContext, claim: AttemptClaim) -> None:
    """Raise Refusal where the attempt is over."""
    if not context.views.attempt_is_open(claim.attempt, claim.generation):
        raise attempt_closed()


def _speaking_for(claim: AttemptClaim, generation: int, pointer: str) -> AttemptClaim:
    """Return the claim for the generation that is spoken for: who was of one may be of a later one of its attempt."""
    if generation < claim.generation:
        detail = f"the token is for generation {claim.generation} and later ones"
        raise refuse(Code.INVALID_REQUEST, f"generation: {detail}", None, FieldError(pointer, detail))
    return AttemptClaim(claim.attempt, generation)
