"""Replicas of servers: list them, and say how many there are to be."""

from fastapi import APIRouter

from api.answers.replicas import replica_list_answer
from api.context import ApiContext
from api.job_reading import find_job
from api.problems import Code, FieldError, Refusal, refuse
from api.schemas.serving.answers import ReplicaListAnswer
from api.schemas.serving.request import ScaleRequest
from api.web.dependencies import Caller, Context, JobPath
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT
from api.web.outcomes import refuse_job_write
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.tenant import Principal
from scheduler.ports.journal import Rejected, Rejection
from scheduler.ports.views import JobView
from scheduler.services.explain_job import explain_job
from scheduler.services.serving.scale_job import scale_job as wish_for

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)


@router.get("/{job}/replicas", operation_id="list_replicas")
def list_replicas(job: JobPath, context: Context, caller: Caller) -> ReplicaListAnswer:
    """List a server's replicas: where each one is reached, and whether it is ready."""
    return _answer(context, _server(context, caller, job), caller)


@router.patch("/{job}/replicas", operation_id="scale_job", responses=CONFLICT)
def scale_job(request: ScaleRequest, job: JobPath, context: Context, caller: Caller) -> ReplicaListAnswer:
    """Say how many replicas a server is to have. Those that are too many are stopped, those that failed tried again."""
    _server(context, caller, job)
    outcome = wish_for(
        context.journal, context.clock, job=job, tenant=caller.tenant, by=caller.name, replicas=request.replicas
    )
    if isinstance(outcome, Rejected):
        raise _refusal(outcome)
    return _answer(context, find_job(context, caller, job), caller)


def _server(context: ApiContext, caller: Principal, job: JobId) -> JobView:
    view = find_job(context, caller, job)
    if not view.job.spec.serves:
        detail = "A training has no replicas: only jobs of the kind inference do."
        raise refuse(Code.INVALID_REQUEST, detail, None, FieldError("/path/job", "is a training"))
    return view


def _answer(context: ApiContext, view: JobView, caller: Principal) -> ReplicaListAnswer:
    explained = explain_job(context.followed, context.clock, view.job.id)
    reasons = {each.group: each.reasons for each in explained.explanations}
    return replica_list_answer(view, reasons, caller.tenant)


def _refusal(rejected: Rejected) -> Refusal:
    match rejected.why:
        case Rejection.ILLEGAL:
            return refuse(Code.JOB_OVER, f"Nothing was changed: {rejected.detail}.", "submit it again")
        case Rejection.TOO_MANY_JOBS:
            detail = f"Your tenant may have {rejected.detail} jobs that are not over, each replica of a server counted."
            return refuse(Code.TOO_MANY_JOBS, detail, "ask for fewer replicas, or cancel some jobs")
    return refuse_job_write(rejected)
