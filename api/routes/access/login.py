"""Logging in over the organisation's own login: the page by a code, the command by an ID token."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.context import ApiContext
from api.login.sessions import cookie_name, end_session, keep_session
from api.problems import Code, FieldError, Refusal, refuse, unavailable
from api.schemas.people.login import BeginQuery, ExchangeBody, FinishQuery, IssuerTerms, LoginAnswer, LoginTermsAnswer
from api.web.dependencies import Caller, Context
from api.web.guarded_route import GuardedRoute
from api.web.openapi import LOGIN_PROBLEMS
from scheduler.ports.identity import IssuerUnavailable, ProofRefused
from scheduler.services.access.grant_access import NewToken
from scheduler.services.access.log_in import LONGEST_LOGIN, Login, LoginRefused, Return

router = APIRouter(prefix="/v1", tags=["login"], route_class=GuardedRoute)

_SEE_OTHER = 303
_BEGUN = "medley_login"
_AGAIN = "begin again: GET /v1/login"


@router.get("/login/terms", operation_id="show_login_terms")
async def show_login_terms(context: Context) -> LoginTermsAnswer:
    """Say how one logs in here: with tokens only, or over an issuer too."""
    if context.login is None:
        return LoginTermsAnswer(oidc=None)
    terms = context.login.configuration
    return LoginTermsAnswer(
        oidc=IssuerTerms(issuer=terms.issuer, client_id=terms.command_client_id, scopes=terms.scopes)
    )


@router.get("/login", operation_id="begin_login", status_code=303, responses=LOGIN_PROBLEMS, response_class=Response)
def begin_login(context: Context, query: Annotated[BeginQuery, Query()]) -> Response:
    """Send a browser to the issuer."""
    login = _offered(context)
    try:
        begun = login.begin(context.clock, query.return_to)
    except IssuerUnavailable as error:
        raise _issuer_unavailable(error) from error
    response = _go_to(begun.url)
    is_secure = _is_secure(login)
    response.set_cookie(
        cookie_name(_BEGUN, is_secure=is_secure),
        begun.sealed,
        max_age=int(LONGEST_LOGIN.total_seconds()),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(
    "/login/callback", operation_id="finish_login", status_code=303, responses=LOGIN_PROBLEMS, response_class=Response
)
def finish_login(request: Request, context: Context, query: Annotated[FinishQuery, Query()]) -> Response:
    """Take a browser back from the issuer, and give it a session."""
    login = _offered(context)
    if query.error is not None:
        raise refuse(Code.LOGIN_REFUSED, f"The issuer did not log anybody in: {query.error!a}.", _AGAIN)
    if query.state is None or query.code is None:
        missing = "state" if query.state is None else "code"
        raise refuse(
            Code.INVALID_REQUEST, f"{missing} is missing", _AGAIN, FieldError(f"/query/{missing}", "is missing")
        )
    if query.iss not in (None, login.configuration.issuer):
        raise refuse(Code.LOGIN_REFUSED, "Another issuer sent this browser back.", _AGAIN)
    is_secure = _is_secure(login)
    sealed = request.cookies.get(cookie_name(_BEGUN, is_secure=is_secure), "")
    back = Return(sealed, query.state, query.code)
    try:
        new, return_to = login.finish(
            context.directory, context.clock, context.identifiers, back, request_id=request.state.request_id
        )
    except (LoginRefused, ProofRefused, IssuerUnavailable) as error:
        raise _refusal(error) from error
    response = _go_to(return_to)
    keep_session(response, new.secret, seconds=int(login.configuration.session.total_seconds()), is_secure=is_secure)
    name = cookie_name(_BEGUN, is_secure=is_secure)
    response.delete_cookie(name, path="/", secure=is_secure, httponly=True, samesite="lax")
    return response


@router.post("/login/exchange", operation_id="exchange_login", responses=LOGIN_PROBLEMS)
def exchange_login(request: Request, body: ExchangeBody, context: Context) -> LoginAnswer:
    """Give a short-lived token for an ID token that the issuer gave to the command. An ID token is good once."""
    login = _offered(context)
    try:
        new = login.exchange(
            context.directory, context.clock, context.identifiers, body.id_token, request_id=request.state.request_id
        )
    except (LoginRefused, ProofRefused, IssuerUnavailable) as error:
        raise _refusal(error) from error
    return _login_answer(new)


@router.post("/logout", operation_id="end_session", status_code=204)
def end_login(context: Context, caller: Caller) -> Response:
    """End this login: its token opens nothing any more. A token that was made is left as it is."""
    if caller.is_login:
        context.directory.revoke_token(caller.token_id, None, context.clock.now())
    response = Response(status_code=204)
    end_session(response)
    return response


def _offered(context: ApiContext) -> Login:
    if context.login is None:
        raise refuse(Code.LOGIN_NOT_OFFERED, "No issuer is configured.", "use a token: `medley login ADDRESS`")
    return context.login


def _refusal(error: LoginRefused | ProofRefused | IssuerUnavailable) -> Refusal:
    match error:
        case IssuerUnavailable():
            return _issuer_unavailable(error)
        case LoginRefused():
            return refuse(Code.LOGIN_REFUSED, str(error), error.next_step)
    return refuse(Code.LOGIN_REFUSED, f"{str(error)[:1].upper()}{str(error)[1:]}.", "log in again")


def _issuer_unavailable(error: IssuerUnavailable) -> Refusal:
    return Refusal(unavailable(Code.LOGIN_UNAVAILABLE, f"{error}. Who is logged in already stays so."))


def _is_secure(login: Login) -> bool:
    return login.configuration.server_url.startswith("https:")


def _go_to(address: str) -> Response:
    return Response(status_code=_SEE_OTHER, headers={"Location": address})


def _login_answer(new: NewToken) -> LoginAnswer:
    token = new.token
    if token.expires_at is None or token.user is None:
        raise TypeError("a login has an end and a user")
    return LoginAnswer(
        secret=new.secret, expires_at=token.expires_at, name=token.user, role=token.role, tenant=token.tenant
    )
