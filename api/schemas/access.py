"""Tenants, quotas, users, tokens, and who is asking."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from api.schemas.text import Answer, Body, Moment, Name, PersonName, PlainText, with_examples
from scheduler.core.model.tenant import Role, Scope
from scheduler.services.access.grant_access import MOST_DAYS

TENANT_EXAMPLE: dict[str, Any] = {"name": "demo", "created_at": "2026-01-01T00:00:00.000000Z"}
QUOTA_EXAMPLE: dict[str, Any] = {"tenant": "demo", "chip": "h100-sxm", "devices": 64}
USER_EXAMPLE: dict[str, Any] = {
    "name": "ada",
    "tenant": "demo",
    "role": "submitter",
    "is_disabled": False,
    "disabled_at": None,
    "has_login": True,
    "created_at": "2026-01-01T00:00:00.000000Z",
}
MOST_OVERLAP_S = 7 * 24 * 3600
TOKEN_EXAMPLE: dict[str, Any] = {
    "id": "01jd3v9k2m0a7b4c",
    "name": "nightly",
    "role": "submitter",
    "tenant": "demo",
    "user": None,
    "scope": ["jobs:read", "jobs:write"],
    "is_login": False,
    "created_at": "2026-01-01T00:00:00.000000Z",
    "expires_at": "2026-04-01T00:00:00.000000Z",
    "revoked_at": None,
    "last_used_at": None,
    "old_secret_until": None,
}


class WhoAmI(Answer):
    """Whose token this is."""

    model_config = with_examples(
        {
            "name": "ada",
            "role": "submitter",
            "tenant": "demo",
            "token_id": "01jd3v9k2m0a7b4c",
            "scope": None,
            "may": ["cancel_job", "list_jobs", "submit_job"],
            "expires_at": "2026-01-01T08:00:00.000000Z",
            "csrf_token": None,
        }
    )

    name: str
    """A user's name, or `token:` and the name of a token that belongs to no user."""
    role: Role
    tenant: str | None
    token_id: str
    scope: tuple[Scope, ...] | None
    """Null: all that the role may do."""
    may: tuple[str, ...]
    """The operations of this API that the token opens, by the ids they have in its OpenAPI document."""
    expires_at: Moment | None
    csrf_token: str | None
    """For a browser's session: what it sends in X-CSRF-Token with every change."""


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


class QuotaPage(Answer):
    """A tenant's quotas by chip type."""

    model_config = with_examples({"items": [QUOTA_EXAMPLE], "next": None})

    items: tuple[QuotaAnswer, ...]
    next: str | None


class UserBody(Body):
    """A user to create."""

    model_config = with_examples({"name": "ada", "tenant": "demo"})

    name: PersonName
    tenant: Name | None = None
    role: Role | None = Field(default=None, description="The most that a token of theirs may be; null: any.")


class UserChangeBody(Body):
    """What becomes of a user; what is left out stays as it is."""

    model_config = with_examples({"role": "submitter"}, {"is_disabled": True})

    tenant: Name | None = None
    role: Role | None = None
    is_disabled: Annotated[bool, Field(strict=True)] = False


class UserAnswer(Answer):
    """A person."""

    model_config = with_examples(USER_EXAMPLE)

    name: str
    tenant: str | None
    role: Role | None
    """The most that a token of theirs may be; null: their tokens' own roles alone count."""
    is_disabled: bool
    """Then none of their tokens opens anything."""
    disabled_at: Moment | None
    has_login: bool
    """Whether the organisation's login made them; the next login says anew what they are."""
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
    expires_in_days: Annotated[int, Field(ge=1, le=MOST_DAYS, strict=True)] | None = Field(
        default=None, description="90 where it is left out, or as long as your own token if that ends before."
    )
    scope: Annotated[frozenset[Scope], Field(min_length=1)] | None = Field(
        default=None, description="Narrows the token to these; left out, it may do all that its role may."
    )

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
    scope: tuple[Scope, ...] | None
    """Null: all that the role may do."""
    is_login: bool
    """Whether it came of a login, rather than being made."""
    created_at: Moment
    expires_at: Moment | None
    """Null for a token that a first start made."""
    revoked_at: Moment | None
    last_used_at: Moment | None
    """To within some minutes."""
    old_secret_until: Moment | None
    """Until when the secret before the last one opens as well."""


class RotationBody(Body):
    """How a token gets a new secret."""

    model_config = with_examples({}, {"overlap_s": 3600, "expires_in_days": 90})

    overlap_s: Annotated[int, Field(ge=0, le=MOST_OVERLAP_S, strict=True)] = Field(
        default=3600, description="How many seconds the secret of before opens as well."
    )
    expires_in_days: Annotated[int, Field(ge=1, le=MOST_DAYS, strict=True)] | None = Field(
        default=None, description="When the token ends from now on; left out, that stays as it is."
    )


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
