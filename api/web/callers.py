"""Who is asking, and may they: from the Authorization header to a principal or an attempt's claim."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.context import ApiContext
from api.costs import cost_of
from api.metering import spend
from api.permissions import PERMISSIONS, SUBMITTERS, Open
from api.problems import Code, Problem, Refusal, refuse
from scheduler.core.model.tenant import Principal, Role
from scheduler.services.access import authenticate as tokens
from scheduler.services.access.attempt_tokens import AttemptClaim

LONGEST_TOKEN = 512
_CHALLENGE: Mapping[str, str] = MappingProxyType({"WWW-Authenticate": 'Bearer realm="medley"'})
_LOG_IN = "log in with `medley login`, or send the header Authorization: Bearer TOKEN"

Caller = Principal | AttemptClaim | None


async def admit(context: ApiContext, request: Request, operation: str) -> Caller:
    """Return who is asking, None for a public route. Raises Refusal where they may not, or have asked too much."""
    access = PERMISSIONS[operation]
    if access is Open.PUBLIC:
        return None
    secret = _bearer_token(request)
    if access is Open.ATTEMPT:
        return _attempt_claim(context, request, secret)
    principal = await run_in_threadpool(_known, context, request, secret, cost_of(operation))
    if principal.role not in access:
        raise _forbidden(principal, access)
    return principal


def _known(context: ApiContext, request: Request, secret: str, cost: int) -> Principal:
    """Return whose token it is, charged for the request, also for one that will be refused. Raises Refusal."""
    principal = tokens.authenticate(context.directory, context.clock, secret)
    if principal is None:
        raise _not_authenticated(secret)
    spend(request, context, principal, cost)
    return principal


def still_admitted(context: ApiContext, request: Request) -> Callable[[], bool]:
    """Return what says, at every call, whether the token of an admitted request still opens anything."""
    secret = _bearer_token(request)
    return lambda: tokens.authenticate(context.directory, context.clock, secret) is not None


def _bearer_token(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret or len(secret) > LONGEST_TOKEN:
        raise _unauthorized("The request carries no bearer token.", _LOG_IN)
    return secret.strip()


def _attempt_claim(context: ApiContext, request: Request, secret: str) -> AttemptClaim:
    claim = context.attempt_tokens.verify(secret)
    if claim is None or claim.attempt != request.path_params.get("attempt"):
        raise _unauthorized("This needs the token of the attempt itself.", "use the token of the launch document")
    return claim


def _not_authenticated(secret: str) -> Refusal:
    if secret.startswith(tokens.PREFIX) and not tokens.is_well_formed(secret):
        return _unauthorized("The token looks mistyped: its checksum is wrong.", "copy it again, whole")
    return _unauthorized("The token is unknown, expired or revoked.", _LOG_IN)


def _unauthorized(detail: str, next_step: str) -> Refusal:
    return Refusal(Problem(Code.NOT_AUTHENTICATED, detail, next_step, headers=_CHALLENGE))


def _forbidden(principal: Principal, access: frozenset[Role]) -> Refusal:
    if access == SUBMITTERS and principal.role.is_cluster_wide:
        detail = f"Jobs belong to a tenant, and {_article(principal.role)} belongs to none."
        return refuse(Code.FORBIDDEN, detail, "use a token of the tenant; `medley tokens create` makes one")
    wanted = " or ".join(role for role in Role if role in access)
    detail = f"It needs the role {wanted}; this token's role is {principal.role}."
    return refuse(Code.FORBIDDEN, detail, "use another token, or ask whoever has that role")


def _article(role: Role) -> str:
    return f"an {role}" if role.value[0] in "aeiou" else f"a {role}"
