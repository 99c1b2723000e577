"""Tenants and their quotas."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers.access import quota_answer, tenant_answer
from api.answers.sparse import sparse
from api.problems import Code, FieldError, Refusal, refuse
from api.routes.sharing.refusals import sharing_refused
from api.schemas.access import QuotaAnswer, QuotaBody, QuotaPage, TenantAnswer, TenantBody, TenantPage
from api.schemas.queries import SparsePage
from api.web.cursors import NAME_KEY, cut_page, decode_cursor, page_of_whole
from api.web.dependencies import (
    Caller,
    ChipPath,
    Context,
    Page,
    TenantPath,
)
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT, HAS_CHANGED
from scheduler.core.model.tenant import Quota
from scheduler.ports.directory import AlreadyExists, DoesNotExist

router = APIRouter(prefix="/v1/tenants", tags=["access"], route_class=GuardedRoute)


@router.get("", operation_id="list_tenants")
def list_tenants(context: Context, page: Page) -> TenantPage | SparsePage:
    """List tenants by name."""
    found = context.directory.tenants(after=decode_cursor(page.cursor, NAME_KEY), limit=page.limit + 1)
    items, following = cut_page(found, page.limit, lambda tenant: tenant.name)
    return sparse(TenantPage(items=tuple(tenant_answer(tenant) for tenant in items), next=following), page.fields)


@router.post("", operation_id="create_tenant", status_code=201, responses=CONFLICT)
def create_tenant(body: TenantBody, context: Context) -> TenantAnswer:
    """Create a tenant."""
    try:
        tenant = context.directory.create_tenant(body.name, context.clock.now())
    except AlreadyExists:
        error = FieldError("/name", "a tenant of that name exists")
        raise refuse(Code.ALREADY_EXISTS, f"There is a tenant {body.name} already.", None, error) from None
    return tenant_answer(tenant)


@router.get("/{tenant}/quotas", operation_id="list_quotas")
def list_quotas(tenant: TenantPath, context: Context, caller: Caller, page: Page) -> QuotaPage | SparsePage:
    """List a tenant's quotas by chip type, of which each has one at most. One without has no limit."""
    after = decode_cursor(page.cursor, NAME_KEY)
    if not caller.may_see(tenant) or context.directory.tenant(tenant) is None:
        raise Refusal(not_found("tenant"))
    items, following = page_of_whole(context.directory.quotas(tenant), after, page.limit, lambda quota: quota.chip)
    return sparse(QuotaPage(items=tuple(quota_answer(quota) for quota in items), next=following), page.fields)


@router.get("/{tenant}/quotas/{chip}", operation_id="show_quota")
def show_quota(tenant: TenantPath, chip: ChipPath, context: Context, caller: Caller, response: Response) -> QuotaAnswer:
    """Show a tenant's quota for a chip type, with its ETag."""
    quotas = context.directory.quotas(tenant) if caller.may_see(tenant) else ()
    found = next((quota for quota in quotas if quota.chip == chip), None)
    if found is None:
        raise Refusal(not_found("quota"))
    response.headers["ETag"] = etag_of(found)
    return quota_answer(found)


@router.put("/{tenant}/quotas/{chip}", operation_id="set_quota", responses=HAS_CHANGED)
def set_quota(
    tenant: TenantPath,
    chip: ChipPath,
    body: QuotaBody,
    context: Context,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> QuotaAnswer:
    """Limit how many devices of a chip type a tenant may hold at once; what it holds already it keeps."""
    quota = Quota(tenant, chip, body.devices)
    with sharing_refused("tenant or chip type"):
        context.directory.set_quota(quota, context.clock.now(), guarded_by(if_match))
    response.headers["ETag"] = etag_of(quota)
    return quota_answer(quota)


@router.delete("/{tenant}/quotas/{chip}", operation_id="lift_quota", status_code=204, responses=HAS_CHANGED)
def lift_quota(tenant: TenantPath, chip: ChipPath, context: Context, *, if_match: IfMatch = None) -> Response:
    """Remove a limit."""
    try:
        context.directory.lift_quota(tenant, chip, context.clock.now(), guarded_by(if_match))
    except DoesNotExist:
        raise Refusal(not_found("quota")) from None
    return Response(status_code=204)
