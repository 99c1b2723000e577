"""Logging in over the organisation's own login."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from api.schemas.text import ID_TOKEN_PATTERN, PATH_PATTERN, VISIBLE_PATTERN, Answer, Body, Moment, with_examples
from scheduler.core.model.tenant import Role


class IssuerTerms(Answer):
    """How the command logs in at the issuer: by the device flow, as this client."""

    model_config = with_examples(
        {"issuer": "https://sso.example.com", "client_id": "medley", "scopes": ["openid", "profile"]}
    )

    issuer: str
    client_id: str
    scopes: tuple[str, ...]


class LoginTermsAnswer(Answer):
    """How one logs in here."""

    model_config = with_examples(
        {"oidc": {"issuer": "https://sso.example.com", "client_id": "medley", "scopes": ["openid", "profile"]}}
    )

    oidc: IssuerTerms | None
    """Null: with tokens only."""


class BeginQuery(Body):
    """Where to go on to after the login."""

    return_to: Annotated[str, StringConstraints(pattern=PATH_PATTERN, max_length=1000)] = Field(
        default="/", description="A path of this server."
    )


class FinishQuery(Body):
    """What the issuer sends a browser back with."""

    model_config = ConfigDict(extra="ignore")

    state: Annotated[str, StringConstraints(pattern=VISIBLE_PATTERN, max_length=500)] | None = None
    code: Annotated[str, StringConstraints(pattern=VISIBLE_PATTERN, max_length=4096)] | None = None
    error: Annotated[str, StringConstraints(max_length=200)] | None = None
    iss: Annotated[str, StringConstraints(max_length=1000)] | None = None


class ExchangeBody(Body):
    """An ID token that the issuer gave to the command."""

    model_config = with_examples({"id_token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"})

    id_token: Annotated[str, StringConstraints(pattern=ID_TOKEN_PATTERN, max_length=16_384)]


class LoginAnswer(Answer):
    """A short-lived token."""

    model_config = with_examples(
        {
            "secret": "mdl_0123456789abcdefghijABCDEFGHIJ012ZzZz0",
            "expires_at": "2026-01-01T08:00:00.000000Z",
            "name": "ada",
            "role": "submitter",
            "tenant": "demo",
        }
    )

    secret: str
    expires_at: Moment
    name: str
    role: Role
    tenant: str | None
