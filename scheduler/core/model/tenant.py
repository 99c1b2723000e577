"""Who may do what: tenants, their quotas, users, roles, tokens and the principal behind a request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.identifiers import ChipName, TenantName


class Role(StrEnum):
    """What a token may do. The first three belong to a tenant and include each other upwards."""

    VIEWER = "viewer"
    """Reads its tenant's jobs."""
    SUBMITTER = "submitter"
    """A viewer who submits and cancels."""
    TENANT_ADMIN = "tenant-admin"
    """A submitter who makes tokens for its tenant."""
    OPERATOR = "operator"
    """Runs the clusters: reads and changes everything, in every tenant."""
    AUDITOR = "auditor"
    """Reads everything, changes nothing."""

    @property
    def is_cluster_wide(self) -> bool:
        """True for the roles that belong to no tenant."""
        return self in (Role.OPERATOR, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A team that submits jobs and has quotas."""

    name: TenantName
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Quota:
    """The most devices of one chip type a tenant may hold at once. No row means no limit."""

    tenant: TenantName
    chip: ChipName
    devices: int


@dataclass(frozen=True, slots=True)
class User:
    """A person; a token may belong to one, a service token belongs to none."""

    name: str
    tenant: TenantName | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token as it is kept: never its secret, only the secret's hash."""

    id: str
    name: str
    role: Role
    tenant: TenantName | None
    """The tenant of a tenant's role; None for a cluster-wide role."""
    user: str | None
    secret_sha256: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Say whether the token opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, as established from a valid token."""

    token_id: str
    name: str
    role: Role
    tenant: TenantName | None

    def may_see(self, tenant: TenantName) -> bool:
        """Say whether things of `tenant` exist for this principal."""
        return self.role.is_cluster_wide or self.tenant == tenant
