"""The session of a browser: a cookie that holds a login's token, and a header that only our own page can send.

The cookie is HttpOnly, so that no script reads it, and SameSite=Lax, so that other sites' forms do not carry it.
Whatever changes something needs the header X-CSRF-Token as well, with what `GET /v1/whoami` says: other sites can
neither read that nor set such a header.
"""

from starlette.requests import Request
from starlette.responses import Response

from scheduler.services.access.server_secrets import ServerSecrets

CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_NAME = "medley_session"
_HOST_ONLY = "__Host-"
"""A browser accepts a cookie of such a name only over https, for this very host and all of its paths."""
_CSRF = "csrf"


def cookie_name(name: str, *, is_secure: bool) -> str:
    """Return what a cookie is called."""
    return f"{_HOST_ONLY}{name}" if is_secure else name


def session_secret(request: Request) -> str | None:
    """Return the token in a browser's session, None where there is no session."""
    for name in (_HOST_ONLY + _NAME, _NAME):
        if secret := request.cookies.get(name):
            return secret
    return None


def keep_session(response: Response, secret: str, *, seconds: int, is_secure: bool) -> None:
    """Have the browser keep its session for so long."""
    response.set_cookie(
        cookie_name(_NAME, is_secure=is_secure),
        secret,
        max_age=seconds,
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )


def end_session(response: Response) -> None:
    """Have the browser forget its session."""
    for is_secure in (True, False):
        name = cookie_name(_NAME, is_secure=is_secure)
        response.delete_cookie(name, path="/", secure=is_secure, httponly=True, samesite="lax")


def csrf_token(secrets: ServerSecrets, token_id: str) -> str:
    """Return what a session's own page sends with every change."""
    return secrets.derive(_CSRF, token_id)


def is_own_page(secrets: ServerSecrets, token_id: str, request: Request) -> bool:
    """Say whether a request that changes something comes from the session's own page."""
    return secrets.is_derived(_CSRF, token_id, request.headers.get(CSRF_HEADER, ""))
