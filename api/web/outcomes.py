"""What the journal refused, as problems."""

from collections.abc import Sequence
from dataclasses import replace

from api.problems import Code, FieldError, Problem, Refusal, refuse
from api.schemas.job_request import JobRequest
from api.text.words import did_you_mean
from api.web.failures import not_found, unknown_reference
from scheduler.ports.directory import Directory
from scheduler.ports.journal import Rejected, Rejection
from scheduler.services.jobs.submit_array import NoRoom
from scheduler.services.submit_job import MOST_LIVE_JOBS, NotOffered


class UnexpectedRejection(Exception):
    """The journal refused a write for a reason that cannot concern the API; a fault of ours."""


def refuse_submission(  # noqa: PLR0911 - one problem per kind
    rejected: Rejected, request: JobRequest, directory: Directory
) -> Refusal:
    """Return why a job was not accepted."""
    match rejected.why:
        case Rejection.UNKNOWN_CHIP:
            return _unknown_chip(rejected, request, directory)
        case Rejection.UNKNOWN_JOB:
            return _unknown_before_it(rejected, request)
        case Rejection.UNKNOWN_TENANT:
            return refuse(Code.UNKNOWN_TENANT, "There is no such tenant, or not any more.")
        case Rejection.KEY_REUSED:
            error = FieldError("/header/idempotency-key", "came with another body before")
            next_step = "use a new key for a new job, or send the same body again"
            return refuse(Code.IDEMPOTENCY_KEY_REUSED, "Nothing was submitted.", next_step, error)
        case Rejection.UNKNOWN_QUEUE:
            next_step = "`medley queue ls` lists yours; without `queue` it waits in your tenant's own"
            return unknown_reference("/queue", f"queue {rejected.detail} of your tenant", next_step)
        case Rejection.QUEUE_FULL | Rejection.TOO_URGENT:
            return refuse_by_queue(rejected)
        case Rejection.TOO_MANY_JOBS:
            next_step = "wait until some of your jobs have ended, or cancel some"
            detail = f"A tenant has at most {MOST_LIVE_JOBS:,} unfinished jobs, and yours would have more."
            return refuse(Code.TOO_MANY_JOBS, detail, next_step)
    raise UnexpectedRejection(rejected)


def refuse_together(why: Rejected | NotOffered, index: int, request: JobRequest, directory: Directory) -> Refusal:
    """Return why none of many jobs was accepted, with pointers into the one that is to blame."""
    one = refuse_not_offered(why) if isinstance(why, NotOffered) else refuse_submission(why, request, directory)
    problem = one.problem
    within = [error for error in problem.errors if not error.pointer.startswith("/header/")]
    pointed = [FieldError(f"/jobs/{index}{error.pointer}", error.detail) for error in within] or [
        FieldError(f"/jobs/{index}", problem.detail)
    ]
    errors = tuple(pointed) if within or not problem.errors else problem.errors
    return Refusal(replace(problem, detail=f"{problem.detail} None of the jobs was submitted.", errors=errors))


def refuse_arrays(jobs: Sequence[JobRequest]) -> None:
    """Raise Refusal where an array is among jobs that are submitted together."""
    errors = [
        FieldError(f"/jobs/{index}/array", "is not for a submission of several jobs")
        for index, job in enumerate(jobs)
        if job.array is not None
    ]
    if errors:
        raise refuse(Code.INVALID_REQUEST, "An array is a submission of its own.", "submit it by itself", *errors)


def refuse_large_array(refused: NoRoom, count: int) -> Refusal:
    """Return why a tenant may not have an array of that size now."""
    detail = (
        f"A tenant has at most {MOST_LIVE_JOBS:,} unfinished jobs, and {refused.left:,} of them are left to yours: "
        f"the array has {count:,}. None of them was submitted."
    )
    error = FieldError("/array/count", f"may be {refused.left:,} at most now")
    next_step = "make it smaller, wait until some of your jobs have ended, or cancel some"
    return refuse(Code.TOO_MANY_JOBS, detail, next_step, error)


def refuse_not_offered(refused: NotOffered) -> Refusal:
    """Return why no cluster would ever run a job."""
    next_step = "change the job, or ask an operator to offer it"
    return refuse(Code.NOT_OFFERED, " ".join(f"{one}." for one in dict.fromkeys(refused.objections)), next_step)


def refuse_by_queue(rejected: Rejected) -> Refusal:
    """Return why a queue does not take a job as it is."""
    most, _, queue = rejected.detail.partition(" in ")
    if rejected.why is Rejection.QUEUE_FULL:
        next_step = "wait until some of them ran, cancel some, or name another queue"
        return refuse(Code.QUEUE_FULL, f"Queue {queue} takes {most} waiting jobs, and it would have more.", next_step)
    error = FieldError("/priority", f"may be {most} at most in queue {queue}")
    return refuse(Code.TOO_URGENT, f"Queue {queue} takes priorities up to {most}.", "ask for a lower priority", error)


def refuse_job_write(rejected: Rejected) -> Refusal:
    """Return why a write about one job was refused."""
    if rejected.why is Rejection.NOT_FOUND:
        return Refusal(not_found("job"))
    if rejected.why is Rejection.IS_OVER:
        return refuse(Code.JOB_OVER, f"The job is {rejected.detail}.", "`medley clone` submits it again")
    if rejected.why is Rejection.TOO_URGENT:
        return refuse_by_queue(rejected)
    if rejected.why is Rejection.ILLEGAL:
        error = FieldError("/workers", rejected.detail)
        return refuse(Code.INVALID_REQUEST, f"The job stays as it is: {rejected.detail}.", None, error)
    raise UnexpectedRejection(rejected)


def refuse_report(rejected: Rejected) -> Refusal:
    """Return why a worker's report was refused."""
    if rejected.why in (Rejection.STALE_ATTEMPT, Rejection.NOT_FOUND):
        return attempt_closed()
    raise UnexpectedRejection(rejected)


def attempt_closed() -> Refusal:
    """Return what tells a worker to end: its attempt, or that attempt's generation, is over."""
    return refuse(Code.ATTEMPT_CLOSED, "This attempt, or its generation, is over.", "end the worker")


def _unknown_before_it(rejected: Rejected, request: JobRequest) -> Refusal:
    index = next((place for place, one in enumerate(request.after) if one.named == rejected.detail), 0)
    kind = "job" if request.after[index].array is None else "array"
    next_step = "`medley ls` lists them; a job's id is given as `job`, an array's as `array`"
    return unknown_reference(f"/after/{index}/{kind}", f"{kind} {rejected.detail} of yours", next_step)


def _unknown_chip(rejected: Rejected, request: JobRequest, directory: Directory) -> Refusal:
    known = [chip.name for chip in directory.chips()]
    unknown = [chip for chip in request.chip_names() if chip not in known] or [rejected.detail]
    errors = tuple(FieldError(request.pointer_to(chip), f"there is no chip type {chip}") for chip in unknown)
    next_step = f"{did_you_mean(unknown[0], known)}`medley chips` lists them"
    return Refusal(Problem(Code.UNKNOWN_CHIP, f"There is no chip type {unknown[0]}.", next_step, errors))
