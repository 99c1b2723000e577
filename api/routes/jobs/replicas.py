"""Replicas of servers: list them, and say how many there are to be."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers.replicas import listed_replicas, replica_list_answer
from api.context import ApiContext
from api.job_reading import find_job, require_served_training
from api.problems import Code, FieldError, Refusal, refuse
from api.schemas.job_request import JobRequest
from api.schemas.queries import PlainPageQuery
from api.schemas.serving.answers import ReplicaListAnswer
from api.schemas.serving.request import ScaleRequest
from api.web.cursors import REPLICA_KEY, decode_cursor, page_of_whole
from api.web.dependencies import Caller, Context, JobPath
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT, HAS_CHANGED
from api.web.outcomes import refuse_job_write, refuse_not_offered
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import MOST_REPLICAS
from scheduler.core.model.tenant import Principal
from scheduler.ports.journal import Rejected, Rejection
from scheduler.ports.views import JobView
from scheduler.services.explain_job import explain_job
from scheduler.services.serving.revise_job import AnotherJob
from scheduler.services.serving.revise_job import revise_job as give_version
from scheduler.services.serving.scale_job import scale_job as wish_for
from scheduler.services.submit_job import NotOffered

_SAID_AS = {"shape": "devices_per_worker", "closeness": "topology", "choice": "choose"}
"""What requests call some fields of a specification."""
_ALL = PlainPageQuery.model_construct(limit=MOST_REPLICAS)

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)


@router.get("/{job}/replicas", operation_id="list_replicas", responses=CONFLICT)
def list_replicas(
    job: JobPath, context: Context, caller: Caller, response: Response, query: Annotated[PlainPageQuery, Query()]
) -> ReplicaListAnswer:
    """List a server's replicas: where each one is reached, and whether it is ready. The ETag is the job's."""
    return _answer(context, _server(context, caller, job), caller, response, query)


@router.patch("/{job}/replicas", operation_id="scale_job", responses={**CONFLICT, **HAS_CHANGED})
def scale_job(
    request: ScaleRequest,
    job: JobPath,
    context: Context,
    caller: Caller,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> ReplicaListAnswer:
    """Say how many replicas a server is to have. Those that are too many are stopped, those that failed tried again."""
    _server(context, caller, job)
    outcome = wish_for(
        context.journal,
        context.clock,
        job=job,
        tenant=caller.tenant,
        by=caller.name,
        replicas=request.replicas,
        guard=guarded_by(if_match),
    )
    if isinstance(outcome, Rejected):
        raise _refusal(outcome)
    return _answer(context, find_job(context, caller, job), caller, response)


@router.put("/{job}/version", operation_id="replace_job", responses={**CONFLICT, **HAS_CHANGED})
def replace_job(
    request: JobRequest, job: JobPath, context: Context, caller: Caller, response: Response, *, if_match: IfMatch = None
) -> ReplicaListAnswer:
    """Give a server a new version: its replicas are replaced one after the other, the next when the last is ready.

    The body is the whole job. It may differ in what its workers run and run with: `command`, `serve`, `environment`,
    `image`, `secrets`, `volumes`, `readiness_path` and `grace_s`. `replicas` is not looked at.
    """
    present = _server(context, caller, job).job
    spec = request.to_spec()
    require_served_training(context, spec, present.tenant)
    outcome = give_version(
        context.journal,
        context.clock,
        present,
        spec,
        tenant=caller.tenant,
        by=caller.name,
        clusters=context.clusters,
        guard=guarded_by(if_match),
    )
    if isinstance(outcome, NotOffered):
        raise refuse_not_offered(outcome)
    if isinstance(outcome, AnotherJob):
        raise _another_job(outcome)
    if isinstance(outcome, Rejected):
        raise _refusal(outcome)
    return _answer(context, find_job(context, caller, job), caller, response)


def _another_job(refused: AnotherJob) -> Refusal:
    names = [_SAID_AS.get(name, name) for name in refused.fields]
    errors = [FieldError(f"/{name}", "cannot differ between versions of a job") for name in names]
    detail = f"A version of the same job has the same {', '.join(names)}."
    next_step = "submit it as a job of its own, and cancel this one once that is ready"
    return refuse(Code.INVALID_REQUEST, detail, next_step, *errors)


def _server(context: ApiContext, caller: Principal, job: JobId) -> JobView:
    view = find_job(context, caller, job)
    if not view.job.spec.serves:
        detail = "A training has no replicas: only jobs of the kind inference do."
        raise refuse(Code.NO_SERVER, detail)
    return view


def _answer(
    context: ApiContext, view: JobView, caller: Principal, response: Response, query: PlainPageQuery = _ALL
) -> ReplicaListAnswer:
    after = decode_cursor(query.cursor, REPLICA_KEY)
    page, following = page_of_whole(listed_replicas(view), after, query.limit, lambda group: f"{group.index:04}")
    response.headers["ETag"] = etag_of(view.job.edited)
    explained = explain_job(context.followed, context.clock, view.job.id)
    reasons = {each.group: each.reasons for each in explained.explanations}
    return replica_list_answer(view, page, following, reasons, caller.tenant)


def _refusal(rejected: Rejected) -> Refusal:
    match rejected.why:
        case Rejection.ILLEGAL:
            return refuse(Code.JOB_OVER, f"Nothing was changed: {rejected.detail}.", "submit it again")
        case Rejection.STALE_VERSION:
            detail = f"Somebody else replaced it meanwhile: {rejected.detail}."
            return refuse(Code.JOB_CHANGED, detail, "look at it, and send your version again")
        case Rejection.TOO_MANY_JOBS:
            detail = f"Your tenant may have {rejected.detail} jobs that are not over, each replica of a server counted."
            return refuse(Code.TOO_MANY_JOBS, detail, "ask for fewer replicas, or cancel some jobs")
    return refuse_job_write(rejected)
