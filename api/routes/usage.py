"""Use over time: series for charts, accounts of who held what, and the jobs that are over."""

import re
from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.answers.sparse import sparse, wants
from api.answers.usage import (
    account_answer,
    csv_columns,
    csv_text,
    cursor_of,
    finished_answer,
    place_of,
    series_answer,
)
from api.problems import Code, FieldError, refuse
from api.schemas.queries import SparsePage
from api.schemas.usage.answers import (
    ACCOUNT_EXAMPLE,
    FINISHED_EXAMPLE,
    AccountAnswer,
    FinishedJobAnswer,
    HistoryPage,
    SeriesAnswer,
    UsageAnswer,
    WorthAnswer,
)
from api.schemas.usage.queries import MOST_DAYS, HistoryQuery, SeriesQuery, UsageQuery
from api.web.cursors import bad_cursor, cut_page, decode_cursor
from api.web.dependencies import Caller, Context
from api.web.guarded_route import GuardedRoute
from scheduler.core.model.tenant import Principal
from scheduler.ports.records.usage import FinishedFilter
from scheduler.services.measuring.account_usage import MOST_ACCOUNTS, TooManyAccounts, account_usage
from scheduler.services.measuring.chart_usage import ChartWish, NotCharted, chart_usage

router = APIRouter(prefix="/v1", tags=["fleet"], route_class=GuardedRoute)

CSV = "text/csv"
FINISHED_KEY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00/[0-9a-z]{16}", re.ASCII)
NOBODY = ""
"""No tenant has this name."""


def _as_csv(example: WorthAnswer, *, without: Collection[str] = ()) -> dict[int | str, dict[str, Any]]:
    """Return how the document tells of the same answer as CSV."""
    text = csv_text(csv_columns(type(example), without=without), [example])
    return {200: {"content": {CSV: {"schema": {"type": "string"}, "example": text}}}}


ACCOUNTS_AS_CSV = _as_csv(AccountAnswer.model_validate(ACCOUNT_EXAMPLE), without={"user", "day"})
HISTORY_AS_CSV = _as_csv(FinishedJobAnswer.model_validate(FINISHED_EXAMPLE))


@router.get("/utilisation/series", operation_id="show_utilisation_series")
def show_utilisation_series(context: Context, caller: Caller, query: Annotated[SeriesQuery, Query()]) -> SeriesAnswer:
    """Show averages over time: what there was, what was held, and how much of that worked.

    A tenant's roles see what their own tenant held. Minutes are kept for 26 hours, hours for 60 days, days for years.
    """
    since, until = query.span(context.clock.now())
    wish = ChartWish(since, until, query.step, query.by, _whose(caller, query.tenant))
    try:
        return series_answer(chart_usage(context.usage, context.clock, wish), query.by)
    except NotCharted as error:
        raise refuse(Code.INVALID_REQUEST, str(error), None, FieldError("/query/step", str(error))) from error


@router.get("/usage", operation_id="show_usage", response_model=UsageAnswer, responses=ACCOUNTS_AS_CSV)
def show_usage(
    request: Request, context: Context, caller: Caller, query: Annotated[UsageQuery, Query()]
) -> UsageAnswer | Response:
    """Account for the devices that attempts held, in chip-hours and in normalised compute, exactly.

    A tenant's roles see their own tenant's.
    """
    now = context.clock.now()
    since, until = query.span(now)
    if (until - since).days > MOST_DAYS:
        detail = f"is more than {MOST_DAYS} days before `to`"
        raise refuse(Code.INVALID_REQUEST, f"from: {detail}", "ask year by year", FieldError("/query/from", detail))
    spans = context.usage.held_spans(since, until, tenant=_whose(caller, query.tenant))
    try:
        found = account_usage(spans, context.directory.chips(), since=since, until=min(until, now), by=query.by)
    except TooManyAccounts as error:
        detail = f"makes more than {MOST_ACCOUNTS:,} accounts"
        next_step = "ask for a shorter span, or tell accounts apart by less"
        raise refuse(Code.INVALID_REQUEST, f"by: {detail}", next_step, FieldError("/query/by", detail)) from error
    items = tuple(account_answer(account) for account in found)
    if _wants_csv(request, query.format):
        left_out = {part for part in ("tenant", "user", "chip", "day") if part not in query.by}
        return _csv(csv_text(csv_columns(AccountAnswer, without=left_out), items))
    return UsageAnswer(since=since, until=until, by=tuple(query.by), items=items)


@router.get("/history", operation_id="show_history", response_model=HistoryPage | SparsePage, responses=HISTORY_AS_CSV)
def show_history(
    request: Request, context: Context, caller: Caller, query: Annotated[HistoryQuery, Query()]
) -> HistoryPage | SparsePage | Response:
    """List finished jobs with how long they waited, ran and held devices; as CSV, the header Link leads on."""
    try:
        before = place_of(decode_cursor(query.cursor, FINISHED_KEY))
    except ValueError as error:
        raise bad_cursor() from error
    where = FinishedFilter(query.since, query.until, _whose(caller, query.tenant), query.user, query.states)
    found = context.usage.finished_jobs(where, before=before, limit=query.limit + 1)
    page, following = cut_page(found, query.limit, cursor_of)
    catalogue = {chip.name: chip for chip in context.directory.chips()}
    items = tuple(finished_answer(job, catalogue) for job in page)
    shown = sparse(HistoryPage(items=items, next=following), query.fields)
    if not _wants_csv(request, query.format):
        return shown
    left_out = [field for field in FinishedJobAnswer.model_fields if not wants(query.fields, field)]
    response = _csv(csv_text(csv_columns(FinishedJobAnswer, without=left_out), items))
    if following is not None:
        target = request.url.include_query_params(cursor=following)
        response.headers["Link"] = f'<{target.path}?{target.query}>; rel="next"'
    return response


def _whose(caller: Principal, asked: str | None) -> str | None:
    """Return whose use is shown, None for everybody's; nobody's where the caller may not see it."""
    if asked is not None and not caller.may_see(asked):
        return NOBODY
    return caller.tenant or asked


def _wants_csv(request: Request, form: str | None) -> bool:
    return form == "csv" or (form is None and CSV in request.headers.get("accept", ""))


def _csv(text: str) -> Response:
    return Response(text, media_type=CSV)
