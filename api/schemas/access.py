"""Tenants, quotas, users, tokens, and who is asking."""

from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from api.schemas.text import Answer, Body, Moment, Name, PersonName, PlainText
from scheduler.core.model.tenant import Role


class WhoAmI(Answer):
    """Whose token this is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "ada", "role": "submitter", "tenant": "demo", "token_id": "01jd3v9k2m0a7b4c"}]
        }
    )

    name: str
    role: Role
    tenant: str | None
    token_id: str


class TenantBody(Body):
    """A tenant to create."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "demo"}]})

    name: Name


class TenantAnswer(Answer):
    """A team that submits jobs and has quotas."""

    name: str
    created_at: Moment


class TenantPage(Answer):
    """Tenants by name."""

    items: tuple[TenantAnswer, ...]
    next: str | None


class QuotaBody(Body):
    """The most devices of a chip type that a tenant may hold at once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"devices": 64}]})

    devices: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class QuotaAnswer(Answer):
    """A tenant's limit for one chip type; no quota is no limit."""

    tenant: str
    chip: str
    devices: int


class QuotaList(Answer):
    """A tenant's quotas by chip type."""

    items: tuple[QuotaAnswer, ...]


class UserBody(Body):
    """A user to create."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "ada", "tenant": "demo"}]})

    name: PersonName
    tenant: Name | None = None


class UserAnswer(Answer):
    """A person."""

    name: str
    tenant: str | None
    created_at: Moment


class UserPage(Answer):
    """Users by name."""

    items: tuple[UserAnswer, ...]
    next: str | None


class TokenBody(Body):
    """A token to make. A tenant's administrator may leave the tenant out: it is their own."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "nightly", "role": "submitter", "tenant": "demo"}]}
    )

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

    secret: str
    """Shown this once; Medley keeps only its hash."""


class TokenPage(Answer):
    """Tokens by id."""

    items: tuple[TokenAnswer, ...]
    next: str | None
