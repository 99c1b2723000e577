"""What jobs put out: logs of their workers, reports of their training."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request

from api.answers.jobs import progress_answer
from api.context import ApiContext
from api.costs import RANKS_PER_UNIT
from api.job_reading import find_job
from api.metering import spend
from api.problems import Code, FieldError, Refusal, refuse
from api.schemas.job import LogEntryAnswer, LogPageAnswer, ProgressPage
from api.schemas.queries import LogQuery, ProgressQuery
from api.streaming.log_readers import LogReaders
from api.web.cursors import bad_cursor
from api.web.dependencies import Caller, Context, JobPath
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.group import FINAL
from scheduler.core.model.tenant import Principal
from scheduler.ports.views import JobView
from scheduler.services.questions.read_logs import BadCursor, LogCursor, LogPage, read_logs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)

MOST_LOG_BYTES = 4 * 1024 * 1024
"""Of one answer: a large gang gets less per rank."""
LEAST_LOG_BYTES_PER_RANK = 1024
LONGEST_WAIT_S = 5.0
"""For output that lies elsewhere, of all ranks together."""


@router.get("/{job}/logs", operation_id="read_job_logs")
async def read_job_logs(
    request: Request, job: JobPath, context: Context, caller: Caller, query: Annotated[LogQuery, Query()]
) -> LogPageAnswer:
    """Read what workers printed; ask again with `cursor` set to `next` to follow.

    Without an attempt's number it begins with the latest attempt, goes on with the one that the cursor names, and from
    there to the next one. Output that its cluster does not give within seconds is on a later page.
    """
    readers: LogReaders = request.app.state.log_readers
    return await readers.read(lambda: _page(request, job, context, caller, query))


def _page(request: Request, job: str, context: ApiContext, caller: Principal, query: LogQuery) -> LogPageAnswer:
    until_s = context.clock.monotonic_s() + LONGEST_WAIT_S
    view = _of_replica(find_job(context, caller, job), query.replica)
    ranks = view.job.spec.workers if query.rank is None else 1
    if ranks >= RANKS_PER_UNIT:
        spend(request, context, caller, ranks // RANKS_PER_UNIT)
    place = _place(query.cursor)
    chosen = _current_attempt(view, place) if query.attempt is None else _attempt(view, query.attempt)
    if chosen is None:
        return LogPageAnswer(entries=(), next=LogCursor(0, {}).encode(), is_complete=view.state in FINAL)
    page = _read(context, chosen, place, query, until_s=until_s)
    if query.attempt is not None:
        return _answer(page, is_complete=page.is_complete)
    later = next((one for one in view.attempts if one.number > chosen.number), None)
    if page.is_complete and not page.entries and later is not None:
        page = _read(context, later, None, query, until_s=until_s)
    is_last = page.attempt == max(one.number for one in view.attempts)
    return _answer(page, is_complete=page.is_complete and is_last and view.state in FINAL)


@router.get("/{job}/progress", operation_id="list_job_progress")
def list_job_progress(
    job: JobPath, context: Context, caller: Caller, query: Annotated[ProgressQuery, Query()]
) -> ProgressPage:
    """List the latest reports of a job's training, oldest first."""
    view = _of_replica(find_job(context, caller, job), query.replica)
    chosen = _current_attempt(view, None) if query.attempt is None else _attempt(view, query.attempt)
    reports = [] if chosen is None else context.views.progress(chosen.id, limit=query.limit)
    return ProgressPage(items=tuple(progress_answer(report) for report in reports))


def _place(cursor: str | None) -> LogCursor | None:
    try:
        return None if cursor is None else LogCursor.decode(cursor)
    except BadCursor:
        raise bad_cursor() from None


def _of_replica(view: JobView, replica: int) -> JobView:
    """Return a job as if it had this replica alone. Raises Refusal where it has no such one."""
    for group in view.groups:
        if group.index == replica:
            mine = tuple(attempt for attempt in view.attempts if attempt.group_id == group.id)
            return replace(view, state=group.state, groups=(group,), attempts=mine)
    raise Refusal(not_found("replica of this job"))


def _attempt(view: JobView, number: int) -> Attempt:
    for attempt in view.attempts:
        if attempt.number == number:
            return attempt
    raise Refusal(not_found("attempt of this job"))


def _current_attempt(view: JobView, place: LogCursor | None) -> Attempt | None:
    """Return the attempt that a reader stands in, the latest one for a new reader."""
    if not view.attempts:
        return None
    if place is None or place.attempt == 0:
        return view.attempts[-1]
    return next((attempt for attempt in view.attempts if attempt.number == place.attempt), view.attempts[-1])


def _read(
    context: ApiContext, attempt: Attempt, place: LogCursor | None, query: LogQuery, *, until_s: float
) -> LogPage:
    known = attempt.worker_numbers
    ranks = known if query.rank is None else (query.rank,)
    if query.rank is not None and query.rank not in known:
        detail = f"attempt {attempt.number} has {len(known)} workers, from 0"
        raise refuse(Code.INVALID_REQUEST, f"rank: {detail}", None, FieldError("/query/rank", detail))
    fair_share = max(LEAST_LOG_BYTES_PER_RANK, MOST_LOG_BYTES // len(ranks))
    return read_logs(
        context.clusters,
        attempt,
        ranks=ranks,
        cursor=place,
        limit=min(query.limit, fair_share),
        until_s=until_s,
        monotonic_s=context.clock.monotonic_s,
    )


def _answer(page: LogPage, *, is_complete: bool) -> LogPageAnswer:
    return LogPageAnswer(
        entries=tuple(
            LogEntryAnswer(attempt=page.attempt, rank=entry.rank, text=entry.text, skipped_bytes=entry.skipped_bytes)
            for entry in page.entries
        ),
        next=page.next.encode(),
        is_complete=is_complete,
    )
