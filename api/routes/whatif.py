"""What would follow if something were otherwise: of everybody for operators, of one's own jobs for who submits them."""

from dataclasses import replace

from fastapi import APIRouter

from api.answers.waiting.suppositions import job_what_ifs_answer, suppositions_of, what_if_answer
from api.context import ApiContext
from api.job_reading import require_served_training
from api.problems import Code, FieldError, Refusal, refuse
from api.routes.sharing.refusals import sharing_refused
from api.schemas.job_request import JobRequest
from api.schemas.waiting.suppositions import JobWhatIfsAnswer, WhatIfAnswer, WhatIfBody
from api.web.dependencies import Caller, Context
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT
from api.web.outcomes import UnexpectedRejection, refuse_not_offered, refuse_submission
from scheduler.core.model.asking.suppositions import CannotSuppose, TooMuchSupposed, UnknownSubject
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.job import Job
from scheduler.ports.journal import Rejected
from scheduler.services.questions.suppose import Answered, Supposer
from scheduler.services.questions.try_job import draft_to_try
from scheduler.services.submit_job import NotOffered, Submission

router = APIRouter(prefix="/v1", route_class=GuardedRoute)


@router.post("/whatif", operation_id="suppose", tags=["fleet"], responses=CONFLICT)
def suppose(body: WhatIfBody, context: Context, caller: Caller) -> WhatIfAnswer:
    """Say what would follow if nodes were drained or added, or quotas and weights were others. Nothing is changed.

    All of it is supposed together. With a job, also what would become of that then. What runs on drained nodes has to
    leave them, unless it `runs_on`.
    """
    supposed = suppositions_of(body)
    request, tenant = body.job, body.tenant
    try:
        job = None if request is None or tenant is None else _drafted(context, request, tenant, caller.name)
        with sharing_refused("queue"):
            answered = _supposer(context).suppose([one for _, one in supposed], job)
        return what_if_answer(_accepted(answered, request, context))
    except CannotSuppose as error:
        pointer = "" if error.at is None else supposed[error.at][0]
        raise _refused(error, pointer) from None
    except Refusal as refusal:
        raise _within_job(refusal) from None


@router.post("/jobs/whatif", operation_id="suppose_job", tags=["jobs"], responses=CONFLICT)
def suppose_job(request: JobRequest, context: Context, caller: Caller) -> JobWhatIfsAnswer:
    """Say where a job would run at once, or when it would start; the same on each chip type that it does not accept.

    Nothing is kept.
    """
    if caller.tenant is None:
        raise TypeError("a principal who may submit has a tenant")
    job = _drafted(context, request, caller.tenant, caller.name)
    answered = _accepted(_supposer(context).suppose([], job), request, context)
    if answered.job is None:
        raise TypeError("who asks about a job is told of it")
    return job_what_ifs_answer(answered.job, answered, caller.tenant)


def _accepted(answered: Answered | Rejected, request: JobRequest | None, context: ApiContext) -> Answered:
    if not isinstance(answered, Rejected):
        return answered
    if request is None:
        raise UnexpectedRejection(answered)
    raise refuse_submission(answered, request, context.directory)


def _within_job(refusal: Refusal) -> Refusal:
    """Return a refusal of a job, with pointers to where the job stands in the body."""
    problem = refusal.problem
    errors = tuple(FieldError(f"/job{error.pointer}", error.detail) for error in problem.errors)
    return Refusal(replace(problem, errors=errors))


def _supposer(context: ApiContext) -> Supposer:
    if context.supposer is None:
        raise TypeError("a process that answers the public has somebody who supposes")
    return context.supposer


def _drafted(context: ApiContext, request: JobRequest, tenant: TenantName, by: str) -> Job:
    """Return the job as it would be kept. Raises Refusal."""
    if request.array is not None:
        error = FieldError("/array", "is not for this question")
        raise refuse(Code.INVALID_REQUEST, "What becomes of an array is told by a dry run.", "leave it out", error)
    spec = request.to_spec()
    require_served_training(context, spec, tenant)
    found = draft_to_try(
        context.clock,
        context.identifiers,
        Submission(tenant, by, spec, None),
        views=context.views,
        clusters=context.clusters,
    )
    if isinstance(found, NotOffered):
        raise refuse_not_offered(found)
    if isinstance(found, Rejected):
        raise refuse_submission(found, request, context.directory)
    return found


def _refused(error: CannotSuppose, pointer: str) -> Refusal:
    text = str(error.args[0])
    detail, field = f"{text[:1].upper()}{text[1:]}.", FieldError(pointer, text)
    if isinstance(error, UnknownSubject):
        return refuse(
            Code.UNKNOWN_REFERENCE, detail, "`medley nodes`, `medley pools` and `medley queue` list them", field
        )
    next_step = "ask for fewer" if isinstance(error, TooMuchSupposed) else "suppose something else"
    return refuse(Code.INVALID_REQUEST, detail, next_step, field)
