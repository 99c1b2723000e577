"""Arrays of jobs, each as a whole. Their jobs are listed and cancelled with the filter `array` of the jobs' routes."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.answers.jobs import array_answer
from api.answers.sparse import sparse
from api.problems import Refusal
from api.routes.jobs.jobs import filter_of
from api.schemas.arrays.answers import ArrayAnswer, ArrayPage
from api.schemas.queries import ArrayQuery, SparsePage
from api.schemas.text import ID_PATTERN
from api.web.cursors import JOB_KEY, cut_page, decode_cursor
from api.web.dependencies import Caller, Context
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from scheduler.ports.views import JobFilter

router = APIRouter(prefix="/v1/arrays", tags=["jobs"], route_class=GuardedRoute)

ArrayPath = Annotated[str, Path(pattern=ID_PATTERN)]


@router.get("", operation_id="list_arrays")
def list_arrays(context: Context, caller: Caller, query: Annotated[ArrayQuery, Query()]) -> ArrayPage | SparsePage:
    """List the arrays that have a job that meets the filter, newest first, with how all their jobs stand.

    `name` is the array's.
    """
    before = decode_cursor(query.cursor, JOB_KEY)
    if query.tenant is not None and not caller.may_see(query.tenant):
        return ArrayPage(items=(), next=None)
    where = replace(filter_of(query, caller), name=None, array_name=query.name)
    found = context.views.arrays(where, before=before, limit=query.limit + 1)
    page, following = cut_page(found, query.limit, lambda view: view.member.array)
    return sparse(ArrayPage(items=tuple(array_answer(view) for view in page), next=following), query.fields)


@router.get("/{array}", operation_id="show_array")
def show_array(array: ArrayPath, context: Context, caller: Caller) -> ArrayAnswer:
    """Show an array: how many of its jobs are in each state."""
    found = context.views.arrays(JobFilter(tenant=caller.tenant, array=array), before=None, limit=1)
    if not found:
        raise Refusal(not_found("array"))
    return array_answer(found[0])
