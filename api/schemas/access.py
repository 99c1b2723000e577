"""Tenants, quotas, users, tokens, and who is asking."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from api.schemas.text import Answer, Body, Moment, Name, PersonName, PlainText, with_examples
from scheduler.core.model.tenant import Role

TENANT_EXAMPLE: dict[str, Any] = {"name": "demo", "created_at": "2026-01-01T00:00:00.000000Z"}
QUOTA_EXAMPLE: dict[str, Any] = {"tenant": "demo", "chip": "h100-sxm", "devices": 64}
USER_EXAMPLE: dict[str, Any] = {"name": "ada", "tenant": "demo", "created_at": "2026-01-01T00:00:00.000000Z"}
TOKEN_EXAMPLE: dict[str, Any] = {
    "id": "01jd3v9k2m0a7b4c",
    "name": "nightly",
    "role": "submitter",
    "tenant": "demo",
    "user": None,
    "created_at": "2026-01-01T00:00:00.000000Z",
    "expires_at": None,
    "revoked_at": None,
}


class WhoAmI(Answer):
    """Whose token this is."""

    model_config = with_examples(
        {
            "name": "ada",
            "role": "submitter",
            "tenant": "demo",
            "token_id": "01jd3v9k2m0a7b4c",
            "may": ["cancel_job", "list_jobs", "submit_job"],
        }
    )

    name: str
    """A user's name, or `token:` and the name of a token that belongs to no user."""
    role: Role
    tenant: str | None
    token_id: str
    may: tuple[str, ...]
    """The operations of this API that the token opens, by the ids they have in its OpenAPI document."""


class TenantBody(Body):
    """A tenant to create."""

    model_config = with_examples({"name": "demo"})

    name: Name


class TenantAnswer(Answer):
    """A team that submits jobs and has quotas."""

    model_config = with_examples(TENANT_EXAMPLE)

    name: str
    created_at: Moment


class TenantPage(Answer):
    """Tenants by name."""

    model_config = with_examples({"items": [TENANT_EXAMPLE], "next": None})

    items: tuple[TenantAnswer, ...]
    next: str | None


class QuotaBody(Body):
    """The most devices of a chip type that a tenant may hold at once."""

    model_config = with_examples({"devices": 64})

    devices: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class QuotaAnswer(Answer):
    """A tenant's limit for one chip type; no quota is no limit."""

    model_config = with_examples(QUOTA_EXAMPLE)

    tenant: str
    chip: str
    devices: int


class QuotaList(Answer):
    """A tenant's quotas by chip type."""

    model_config = with_examples({"items": [QUOTA_EXAMPLE]})

    items: tuple[QuotaAnswer, ...]


class UserBody(Body):
    """A user to create."""

    model_config = with_examples({"name": "ada", "tenant": "demo"})

    name: PersonName
    tenant: Name | None = None


class UserAnswer(Answer):
    """A person."""

    model_config = with_examples(USER_EXAMPLE)

    name: str
    tenant: str | None
    created_at: Moment


class UserPage(Answer):
    """Users by name."""

    model_config = with_examples({"items": [USER_EXAMPLE], "next": None})

    items: tuple[UserAnswer, ...]
    next: str | None


class TokenBody(Body):
    """A token to make. A tenant's administrator may leave the tenant out: it is their own."""

    model_config = with_examples({"name": "nightly", "role": "submitter", "tenant": "demo"})

    name: PlainText
    role: Role
    tenant: Name | None = None
    user: PersonName | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None

    @field_validator("tenant")
    @classmethod
    def _tenant_fits_role(cls, tenant: str | None, info: ValidationInfo) -> str | None:
        role = info.data.get("role")
        if tenant is not None and role is not None and role.is_cluster_wide:
            raise ValueError(f"the role {role} is cluster-wide and belongs to no tenant; leave the tenant out")
        return tenant


class TokenAnswer(Answer):
    """A token, never its secret."""

    model_config = with_examples(TOKEN_EXAMPLE)

    id: str
    name: str
    role: Role
    tenant: str | None
    user: str | None
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None


class NewTokenAnswer(TokenAnswer):
    """A token just made."""

    model_config = with_examples({**TOKEN_EXAMPLE, "secret": "mdl_0123456789abcdefghijABCDEFGHIJ012ZzZz0"})

    secret: str
    """Shown this once; Medley keeps only its hash."""


class TokenPage(Answer):
    """Tokens by id."""

    model_config = with_examples({"items": [TOKEN_EXAMPLE], "next": None})

    items: tuple[TokenAnswer, ...]
    next: str | None
