"""Give and take away tokens. Nobody grants more than they hold."""

from dataclasses import dataclass
from datetime import timedelta

from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import Principal, Role, Token
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.directory import Directory
from scheduler.services.access.authenticate import new_secret, secret_sha256

TENANT_ROLES = (Role.VIEWER, Role.SUBMITTER, Role.TENANT_ADMIN)


class GrantRefused(Exception):
    """The token may not be made; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The token somebody asks for."""

    name: str
    role: Role
    tenant: TenantName | None
    user: str | None
    valid_days: int | None
    """None: until revoked."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: the only moment its secret is known."""

    token: Token
    secret: str


def create_token(
    directory: Directory, clock: Clock, identifiers: IdentifierSource, *, by: Principal, grant: Grant
) -> NewToken:
    """Make a token and keep its hash. Raises GrantRefused, and what Directory.create_token raises."""
    _check(by, grant)
    new = draft_token(clock, identifiers, grant)
    directory.create_token(new.token)
    return new


def draft_token(clock: Clock, identifiers: IdentifierSource, grant: Grant) -> NewToken:
    """Return a token that opens nothing yet, because no directory knows it."""
    now = clock.now()
    secret = new_secret()
    token = Token(
        id=identifiers.new_token_id(),
        name=grant.name,
        role=grant.role,
        tenant=grant.tenant,
        user=grant.user,
        secret_sha256=secret_sha256(secret),
        created_at=now,
        expires_at=None if grant.valid_days is None else now + timedelta(days=grant.valid_days),
    )
    return NewToken(token, secret)


def _check(by: Principal, grant: Grant) -> None:
    if grant.role.is_cluster_wide and grant.tenant is not None:
        raise GrantRefused(f"the role {grant.role} is cluster-wide and belongs to no tenant; leave the tenant out")
    if not grant.role.is_cluster_wide and grant.tenant is None:
        raise GrantRefused(f"the role {grant.role} belongs to a tenant; name the tenant")
    if by.role is Role.OPERATOR:
        return
    if by.role is not Role.TENANT_ADMIN or grant.role not in TENANT_ROLES or grant.tenant != by.tenant:
        raise GrantRefused(f"a {by.role} may make tokens for its own tenant's roles only")
