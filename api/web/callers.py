"""Who is asking, and may they: from the Authorization header or a session to a principal or an attempt's claim."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.context import ApiContext
from api.costs import BAD_TOKEN, COSTS_OF_STRANGERS, cost_of
from api.login.sessions import CSRF_HEADER, SAFE_METHODS, is_own_page, session_secret
from api.metering import spend, spend_as_stranger
from api.permissions import SUBMITTERS, Access, Open
from api.problems import Code, Problem, Refusal, refuse
from scheduler.core.model.access.audit import Act, Actor, Outcome
from scheduler.core.model.tenant import Principal, Role, Scope
from scheduler.services.access import authenticate as tokens
from scheduler.services.access.attempt_tokens import AttemptClaim

LONGEST_TOKEN = 512
LONGEST_TOLD_PATH = 200
_CHALLENGE: Mapping[str, str] = MappingProxyType({"WWW-Authenticate": 'Bearer realm="medley"'})
_LOG_IN = "log in with `medley login`, or send the header Authorization: Bearer TOKEN"

Caller = Principal | AttemptClaim | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is called, and what opens it."""

    operation: str
    access: Access
    scope: Scope | None

    def is_open_to(self, principal: Principal) -> bool:
        """Say whether somebody's role and scope open it."""
        by_role = isinstance(self.access, frozenset) and principal.role in self.access
        return by_role and (self.scope is None or principal.scope is None or self.scope in principal.scope)


async def admit(context: ApiContext, request: Request, wanted: Wanted) -> Caller:
    """Return who is asking, None for a public route. Raises Refusal where they may not, or have asked too much."""
    if wanted.access is Open.PUBLIC:
        if wanted.operation in COSTS_OF_STRANGERS:
            await run_in_threadpool(spend_as_stranger, request, context, COSTS_OF_STRANGERS[wanted.operation])
        return None
    if wanted.access is Open.ATTEMPT:
        return _attempt_claim(context, request, _bearer_token(request))
    principal = await run_in_threadpool(_known, context, request, _secret(request), cost_of(wanted.operation))
    refusal = _objection(context, request, principal, wanted)
    if refusal is not None:
        _note_denied(context, request, principal, wanted.operation)
        raise refusal
    return principal


def _known(context: ApiContext, request: Request, secret: str, cost: int) -> Principal:
    """Return whose token it is, charged for the request, also for one that will be refused. Raises Refusal."""
    principal = tokens.authenticate(context.directory, context.clock, secret)
    if principal is None or (not _has_header(request) and not principal.is_login):
        spend_as_stranger(request, context, BAD_TOKEN)
        raise _not_authenticated(secret)
    spend(request, context, principal, cost)
    return principal


def still_admitted(context: ApiContext, request: Request) -> Callable[[], bool]:
    """Return what says, at every call, whether the token of an admitted request still opens anything."""
    secret = _secret(request)
    return lambda: tokens.authenticate(context.directory, context.clock, secret) is not None


def actor_of(request: Request, caller: Caller, operation: str) -> Actor | None:
    """Return in whose name a request writes; None for a worker and for a public route."""
    if not isinstance(caller, Principal):
        return None
    return Actor(caller.name, caller.token_id, caller.tenant, operation, request.state.request_id)


def _objection(context: ApiContext, request: Request, principal: Principal, wanted: Wanted) -> Refusal | None:
    """Return why somebody who is known may not call this, None where they may."""
    if isinstance(wanted.access, frozenset) and principal.role not in wanted.access:
        return _forbidden(principal, wanted.access)
    if wanted.scope is not None and principal.scope is not None and wanted.scope not in principal.scope:
        own = ", ".join(sorted(principal.scope)) or "nothing"
        detail = f"It needs the scope {wanted.scope}; this token is narrowed to {own}."
        return refuse(Code.FORBIDDEN, detail, "use a token with that scope; `medley tokens create --scope` makes one")
    needs_header = not _has_header(request) and request.method not in SAFE_METHODS
    if needs_header and not is_own_page(context.secrets, principal.token_id, request):
        detail = f"A session's changes need the header {CSRF_HEADER}, as GET /v1/whoami says it."
        return refuse(Code.FORBIDDEN, detail, "send that header, or a token in the header Authorization")
    return None


def _note_denied(context: ApiContext, request: Request, principal: Principal, operation: str) -> None:
    left_out = context.denied.count(principal.token_id, operation)
    actor = actor_of(request, principal, operation)
    if left_out is None or actor is None:
        return
    after = {"path": request.url.path[:LONGEST_TOLD_PATH], "role": principal.role, "left_out_before": left_out}
    now = context.clock.now()
    context.audit.note(actor, Act("operation", operation, principal.tenant, now, None, after, Outcome.DENIED))


def _has_header(request: Request) -> bool:
    return "authorization" in request.headers


def _secret(request: Request) -> str:
    """Return the token of the header, else that of a browser's session."""
    session = None if _has_header(request) else session_secret(request)
    if session is not None and len(session) <= LONGEST_TOKEN:
        return session
    return _bearer_token(request)


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
    return _unauthorized("The token is unknown, expired or revoked, or its user is disabled.", _LOG_IN)


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
