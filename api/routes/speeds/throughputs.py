"""How fast families of jobs are on each chip type: measured, and editable by operators."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers.fleet import throughput_answer
from api.answers.sparse import sparse
from api.problems import Refusal
from api.schemas.queries import SparsePage
from api.schemas.usage.throughputs import ThroughputAnswer, ThroughputBody, ThroughputPage
from api.web.cursors import THROUGHPUT_KEY, decode_cursor, page_of_whole
from api.web.dependencies import Caller, ChipPath, Context, FamilyPath, Page, TenantPath
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from api.web.openapi import HAS_CHANGED
from scheduler.core.model.measuring.throughput import JobFamily, Throughput

router = APIRouter(prefix="/v1/throughputs", tags=["fleet"], route_class=GuardedRoute)


@router.get("", operation_id="list_throughputs")
def list_throughputs(context: Context, caller: Caller, query: Page) -> ThroughputPage | SparsePage:
    """List how fast families of jobs are on each chip type; a tenant's roles see their own tenant's."""
    after = decode_cursor(query.cursor, THROUGHPUT_KEY)
    page, following = page_of_whole(context.throughputs.all(caller.tenant), after, query.limit, _key)
    return sparse(ThroughputPage(items=tuple(map(throughput_answer, page)), next=following), query.fields)


@router.get("/{tenant}/{family}/{chip}", operation_id="show_throughput")
def show_throughput(
    tenant: TenantPath, family: FamilyPath, chip: ChipPath, context: Context, caller: Caller, *, response: Response
) -> ThroughputAnswer:
    """Show how fast a family is on a chip type, with its ETag."""
    is_seen = caller.tenant in (None, tenant)
    found = context.throughputs.get(JobFamily(tenant, family), chip) if is_seen else None
    if found is None:
        raise Refusal(not_found("throughput"))
    response.headers["ETag"] = etag_of(found)
    return throughput_answer(found)


@router.put("/{tenant}/{family}/{chip}", operation_id="set_throughput", responses=HAS_CHANGED)
def set_throughput(
    tenant: TenantPath,
    family: FamilyPath,
    chip: ChipPath,
    body: ThroughputBody,
    context: Context,
    *,
    response: Response,
    if_match: IfMatch = None,
) -> ThroughputAnswer:
    """Say how fast a family is on one device of a chip type, whatever is measured."""
    if context.directory.chip(chip) is None:
        raise Refusal(not_found("chip type"))
    if context.directory.tenant(tenant) is None:
        raise Refusal(not_found("tenant"))
    guard = guarded_by(if_match)
    said = context.throughputs.set(JobFamily(tenant, family), chip, body.units_per_s, context.clock.now(), guard)
    response.headers["ETag"] = etag_of(said)
    return throughput_answer(said)


@router.delete("/{tenant}/{family}/{chip}", operation_id="remove_throughput", status_code=204, responses=HAS_CHANGED)
def remove_throughput(
    tenant: TenantPath, family: FamilyPath, chip: ChipPath, context: Context, *, if_match: IfMatch = None
) -> Response:
    """Forget what was said and what was measured: it is learnt anew."""
    now, guard = context.clock.now(), guarded_by(if_match)
    if not context.throughputs.remove(JobFamily(tenant, family), chip, now, guard):
        raise Refusal(not_found("throughput"))
    return Response(status_code=204)


def _key(one: Throughput) -> str:
    return f"{one.family.tenant}/{one.family.name}/{one.chip}"
