"""Tokens: make, list, revoke. A secret is shown once."""

from fastapi import APIRouter

from api.answers.access import new_token_answer, token_answer
from api.context import ApiContext
from api.problems import Code, FieldError, Refusal, refuse
from api.schemas.access import NewTokenAnswer, TokenAnswer, TokenBody, TokenPage
from api.web.cursors import JOB_KEY, cut_page, decode_cursor
from api.web.dependencies import Caller, Context, Page, TokenPath
from api.web.failures import not_found, unknown_reference
from api.web.guarded_route import GuardedRoute
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import Principal
from scheduler.ports.directory import DoesNotExist
from scheduler.services.access.grant_access import Grant, GrantRefused
from scheduler.services.access.grant_access import create_token as grant_token

router = APIRouter(prefix="/v1/tokens", tags=["access"], route_class=GuardedRoute)

USERS_PER_READ = 200


@router.get("", operation_id="list_tokens")
def list_tokens(context: Context, caller: Caller, page: Page) -> TokenPage:
    """List tokens, revoked and expired ones too; a tenant's administrator sees those of that tenant."""
    after = decode_cursor(page.cursor, JOB_KEY)
    found = context.directory.tokens(tenant=caller.tenant, after=after, limit=page.limit + 1)
    items, following = cut_page(found, page.limit, lambda token: token.id)
    return TokenPage(items=tuple(token_answer(token) for token in items), next=following)


@router.post("", operation_id="create_token", status_code=201)
def create_token(body: TokenBody, context: Context, caller: Caller) -> NewTokenAnswer:
    """Make a token. Its secret is in this answer and nowhere else."""
    grant = _grant(body, caller)
    if caller.tenant is not None and body.user is not None and not _has_user(context, caller.tenant, body.user):
        raise unknown_reference("/user", f"user {body.user}")
    try:
        new = grant_token(context.directory, context.clock, context.identifiers, by=caller, grant=grant)
    except GrantRefused as refusal:
        raise refuse(Code.FORBIDDEN, f"{refusal}.", "ask an operator") from None
    except DoesNotExist as missing:
        is_tenant = missing.args[0] == grant.tenant
        found = ("/tenant", f"tenant {grant.tenant}") if is_tenant else ("/user", f"user {grant.user}")
        raise unknown_reference(*found) from None
    return new_token_answer(new)


@router.delete("/{token}", operation_id="revoke_token")
def revoke_token(token: TokenPath, context: Context, caller: Caller) -> TokenAnswer:
    """Revoke a token; it opens nothing from now on."""
    try:
        return token_answer(context.directory.revoke_token(token, caller.tenant, context.clock.now()))
    except DoesNotExist:
        raise Refusal(not_found("token")) from None


def _grant(body: TokenBody, caller: Principal) -> Grant:
    tenant = body.tenant
    if tenant is None and not body.role.is_cluster_wide:
        tenant = caller.tenant
        if tenant is None:
            detail = f"is needed: the role {body.role} belongs to a tenant"
            raise refuse(Code.INVALID_REQUEST, f"tenant {detail}", None, FieldError("/tenant", detail))
    return Grant(body.name, body.role, tenant, body.user, body.expires_in_days)


def _has_user(context: ApiContext, tenant: TenantName, name: str) -> bool:
    """Say whether the tenant has the user; another tenant's must not lend their name to its tokens."""
    after: str | None = None
    while users := context.directory.users(tenant=tenant, after=after, limit=USERS_PER_READ):
        if any(user.name == name for user in users):
            return True
        after = users[-1].name
    return False
