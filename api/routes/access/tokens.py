"""Tokens: make, list, give a new secret, revoke. A secret is shown once."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from api.answers.access import new_token_answer, token_answer
from api.answers.sparse import sparse
from api.problems import Code, FieldError, Refusal, refuse
from api.schemas.access import NewTokenAnswer, RotationBody, TokenAnswer, TokenBody, TokenPage
from api.schemas.queries import SparsePage
from api.schemas.text import KEY_PATTERN
from api.web.cursors import JOB_KEY, cut_page, decode_cursor
from api.web.dependencies import Caller, Context, Page, TokenPath
from api.web.etags import IfMatch, etag_of, guarded_by
from api.web.failures import not_found, unknown_reference
from api.web.guarded_route import GuardedRoute
from api.web.openapi import CONFLICT, HAS_CHANGED
from scheduler.core.model.tenant import Principal
from scheduler.ports.directory import DoesNotExist, IsOver
from scheduler.services.access import grant_access
from scheduler.services.access.grant_access import Grant, GrantRefused, RotationWish

router = APIRouter(prefix="/v1/tokens", tags=["access"], route_class=GuardedRoute)

RotationKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        max_length=200,
        description="Your own name for this replacement: sent again, it has the same answer and changes nothing.",
    ),
]


@router.get("", operation_id="list_tokens")
def list_tokens(context: Context, caller: Caller, page: Page) -> TokenPage | SparsePage:
    """List tokens, revoked and expired ones too; a tenant's administrator sees those of that tenant."""
    after = decode_cursor(page.cursor, JOB_KEY)
    found = context.directory.tokens(tenant=caller.tenant, after=after, limit=page.limit + 1)
    items, following = cut_page(found, page.limit, lambda token: token.id)
    return sparse(TokenPage(items=tuple(token_answer(token) for token in items), next=following), page.fields)


@router.post("", operation_id="create_token", status_code=201)
def create_token(body: TokenBody, context: Context, caller: Caller) -> NewTokenAnswer:
    """Make a token. Its secret is in this answer and nowhere else."""
    grant = _grant(body, caller)
    try:
        new = grant_access.create_token(context.directory, context.clock, context.identifiers, by=caller, grant=grant)
    except GrantRefused as refusal:
        raise _not_granted(refusal) from None
    except DoesNotExist as missing:
        is_tenant = missing.args[0] == grant.tenant
        found = ("/tenant", f"tenant {grant.tenant}") if is_tenant else ("/user", f"user {grant.user}")
        raise unknown_reference(*found) from None
    return new_token_answer(new)


@router.post("/{token}/rotate", operation_id="rotate_token", responses=CONFLICT)
def rotate_token(
    token: TokenPath, body: RotationBody, context: Context, caller: Caller, key: RotationKey
) -> NewTokenAnswer:
    """Give a token a new secret; the one before it opens a while longer, the one before that nothing any more."""
    wish = RotationWish(token, key, timedelta(seconds=body.overlap_s), body.expires_in_days)
    try:
        new = grant_access.rotate_token(context.directory, context.clock, context.secrets, by=caller, wish=wish)
    except GrantRefused as refusal:
        raise _not_granted(refusal) from None
    except DoesNotExist:
        raise Refusal(not_found("token")) from None
    except IsOver:
        raise refuse(Code.TOKEN_OVER, "It is revoked or expired.", "make a new one: POST /v1/tokens") from None
    return new_token_answer(new)


@router.get("/{token}", operation_id="show_token")
def show_token(token: TokenPath, context: Context, caller: Caller, response: Response) -> TokenAnswer:
    """Show a token, without what it opens with. The ETag is that of its secret and its end."""
    found = context.directory.token(token, caller.tenant)
    if found is None:
        raise Refusal(not_found("token"))
    response.headers["ETag"] = etag_of(found.edited)
    return token_answer(found)


@router.delete("/{token}", operation_id="revoke_token", responses=HAS_CHANGED)
def revoke_token(
    token: TokenPath, context: Context, caller: Caller, response: Response, *, if_match: IfMatch = None
) -> TokenAnswer:
    """Revoke a token; it opens nothing from now on."""
    try:
        revoked = context.directory.revoke_token(token, caller.tenant, context.clock.now(), guarded_by(if_match))
    except DoesNotExist:
        raise Refusal(not_found("token")) from None
    response.headers["ETag"] = etag_of(revoked.edited)
    return token_answer(revoked)


def _grant(body: TokenBody, caller: Principal) -> Grant:
    tenant = body.tenant
    if tenant is None and not body.role.is_cluster_wide:
        tenant = caller.tenant
        if tenant is None:
            detail = f"is needed: the role {body.role} belongs to a tenant"
            raise refuse(Code.INVALID_REQUEST, f"tenant {detail}", None, FieldError("/tenant", detail))
    return Grant(body.name, body.role, tenant, body.user, body.expires_in_days, body.scope)


def _not_granted(refusal: GrantRefused) -> Refusal:
    return refuse(Code.FORBIDDEN, f"{str(refusal)[:1].upper()}{str(refusal)[1:]}.", "ask somebody who may do more")
