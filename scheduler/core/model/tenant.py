"""Who may do what: tenants, their quotas, users, roles, tokens and the principal behind a request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.sharing.queue import QueueQuota


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

    def covers(self, other: "Role") -> bool:
        """Say whether who has this role may do all that the other one may, in the same tenant."""
        if self is Role.OPERATOR or self is other:
            return True
        return self in TENANT_ROLES and other in TENANT_ROLES[: TENANT_ROLES.index(self)]


TENANT_ROLES = (Role.VIEWER, Role.SUBMITTER, Role.TENANT_ADMIN)
"""The roles that belong to a tenant, each including those before it."""


class Scope(StrEnum):
    """What a token may be narrowed to: an area of the API, to read it or to change it."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    FLEET_READ = "fleet:read"
    FLEET_WRITE = "fleet:write"
    ACCESS_READ = "access:read"
    ACCESS_WRITE = "access:write"
    AUDIT_READ = "audit:read"
    SERVICE_READ = "service:read"


Scopes = frozenset[Scope] | None
"""None: all that the role may do."""


def within(wanted: Scopes, given: Scopes) -> bool:
    """Say whether all of `wanted` is among what is given."""
    return given is None or (wanted is not None and wanted <= given)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A team that submits jobs and has quotas."""

    name: TenantName
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Quota:
    """The most devices of one chip type a tenant may hold at once: in short, the limit of its own queue."""

    tenant: TenantName
    chip: ChipName
    devices: int

    @property
    def as_limit(self) -> QueueQuota:
        """What it is in full."""
        return QueueQuota(self.tenant, self.chip, limit=self.devices)


@dataclass(frozen=True, slots=True)
class User:
    """A person; a token may belong to one, a service token belongs to none."""

    name: str
    tenant: TenantName | None
    created_at: datetime
    role: Role | None = None
    """The most that a token of theirs may be; None: their tokens' own roles alone count."""
    disabled_at: datetime | None = None
    subject: str | None = None
    """Who they are at the organisation's login, as `issuer subject`; None for a user made by hand."""

    def may_hold(self, role: Role, tenant: TenantName | None) -> bool:
        """Say whether a token with that role in that tenant may open anything in this user's name."""
        if self.disabled_at is not None:
            return False
        if self.tenant is not None and self.tenant != tenant:
            return False
        return self.role is None or self.role.covers(role)


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
    scope: Scopes = None
    is_login: bool = False
    """Whether it came of a login of a person, rather than being made by somebody who may."""
    last_used_at: datetime | None = None
    """Rounded down to some minutes: never written in the way of a request."""
    rotations: int = 0
    """How often its secret was replaced."""
    rotation_key_sha256: str | None = None
    """Of the key that the last replacement came with; the same key names the same replacement."""
    old_secret_sha256: str | None = None
    old_secret_until: datetime | None = None
    """Until when the secret before the last replacement opens as well."""

    @property
    def edited(self) -> tuple[int, datetime | None, datetime | None]:
        """What people change of it: how often its secret was replaced, when it ends, when it was revoked."""
        return self.rotations, self.expires_at, self.revoked_at

    def is_valid(self, now: datetime) -> bool:
        """Say whether the token opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Holder:
    """A token that was found by a secret, and the person it belongs to."""

    token: Token
    owner: User | None
    secret_sha256: str

    def may_enter(self, now: datetime) -> bool:
        """Say whether the secret opens anything at `now`."""
        token, owner = self.token, self.owner
        if not token.is_valid(now) or (owner is not None and not owner.may_hold(token.role, token.tenant)):
            return False
        is_old = self.secret_sha256 != token.secret_sha256
        return not is_old or (token.old_secret_until is not None and now < token.old_secret_until)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, as established from a valid token."""

    token_id: str
    name: str
    role: Role
    tenant: TenantName | None
    scope: Scopes = None
    expires_at: datetime | None = None
    is_login: bool = False
    user: str | None = None
    """The person the token belongs to."""

    def may_see(self, tenant: TenantName) -> bool:
        """Say whether things of `tenant` exist for this principal."""
        return self.role.is_cluster_wide or self.tenant == tenant
