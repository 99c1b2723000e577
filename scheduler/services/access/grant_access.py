"""Give tokens, and give them new secrets. Nobody grants more than they hold: role, tenant, scope, time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import TENANT_ROLES, Principal, Role, Scopes, Token, within
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.directory import Directory, DoesNotExist, Rotation
from scheduler.services.access.authenticate import new_secret, secret_sha256
from scheduler.services.access.server_secrets import ServerSecrets

USUAL_DAYS = 90
MOST_DAYS = 365


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
    """None: until revoked, which only the server's own first token is; asked for by somebody, 90 days."""
    scope: Scopes = None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made, or with a new secret: the only moment its secret is known."""

    token: Token
    secret: str


@dataclass(frozen=True, slots=True)
class RotationWish:
    """The new secret somebody asks for."""

    token_id: str
    key: str
    """The caller's own name for this replacement."""
    overlap: timedelta
    """How long the secret of before opens as well."""
    valid_days: int | None
    """From now on; None leaves the token's end as it is."""


def create_token(
    directory: Directory, clock: Clock, identifiers: IdentifierSource, *, by: Principal, grant: Grant
) -> NewToken:
    """Make a token and keep its hash. Raises GrantRefused, and what Directory.create_token raises.

    Another tenant's user does not exist for a tenant's administrator.
    """
    _check(by, grant)
    _check_owner(directory, by, grant)
    new = draft_token(clock, identifiers, grant, latest=_latest_end(by, clock.now(), grant.valid_days))
    directory.create_token(new.token)
    return new


def rotate_token(
    directory: Directory, clock: Clock, secrets: ServerSecrets, *, by: Principal, wish: RotationWish
) -> NewToken:
    """Replace a token's secret. The same wish under the same key has the same answer, and changes nothing again.

    Raises GrantRefused where the caller could not have made such a token, DoesNotExist, IsOver.
    """
    present = directory.token(wish.token_id, by.tenant)
    if present is None:
        raise DoesNotExist(wish.token_id)
    if present.is_login:
        raise GrantRefused("the token came of a login, and the next login makes another one")
    _check(by, Grant(present.name, present.role, present.tenant, present.user, wish.valid_days, present.scope))
    now = clock.now()
    if wish.valid_days is None:
        _check_outlasts_not(by, present)
    end = None if wish.valid_days is None else _end(now, wish.valid_days, _latest_end(by, now, wish.valid_days))
    rotation = Rotation(
        key_sha256=secret_sha256(wish.key),
        secret_sha256_of=lambda number: secret_sha256(secrets.rotated(wish.token_id, number, wish.key)),
        old_until=now + wish.overlap,
        expires_at=end,
    )
    token = directory.rotate_token(wish.token_id, rotation, now)
    return NewToken(token, secrets.rotated(token.id, token.rotations, wish.key))


def draft_token(
    clock: Clock, identifiers: IdentifierSource, grant: Grant, *, latest: datetime | None = None
) -> NewToken:
    """Return a token that opens nothing yet, because no directory knows it; it ends at `latest` at the latest."""
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
        expires_at=_end(now, grant.valid_days, latest),
        scope=grant.scope,
    )
    return NewToken(token, secret)


def _end(now: datetime, valid_days: int | None, latest: datetime | None) -> datetime | None:
    ends = [] if latest is None else [latest]
    ends += [] if valid_days is None else [now + timedelta(days=valid_days)]
    return min(ends, default=None)


def _latest_end(by: Principal, now: datetime, valid_days: int | None) -> datetime | None:
    """Return when a token that somebody makes ends at the latest. Raises GrantRefused where they ask for more.

    A login stands for a person, who may make tokens that outlast it; a token may not.
    """
    own = None if by.is_login else by.expires_at
    if own is not None and valid_days is not None and now + timedelta(days=valid_days) > own:
        raise GrantRefused(f"it would outlast your own token, which ends {own:%Y-%m-%d %H:%M} UTC")
    if valid_days is not None:
        return own
    usual = now + timedelta(days=USUAL_DAYS)
    return usual if own is None else min(usual, own)


def _check_outlasts_not(by: Principal, token: Token) -> None:
    """Raise GrantRefused where a token's end, which stays as it is, is later than the caller's own."""
    own = None if by.is_login else by.expires_at
    if own is not None and (token.expires_at is None or token.expires_at > own):
        raise GrantRefused(f"the token outlasts your own, which ends {own:%Y-%m-%d %H:%M} UTC")


def _check(by: Principal, grant: Grant) -> None:
    if grant.role.is_cluster_wide and grant.tenant is not None:
        raise GrantRefused(f"the role {grant.role} is cluster-wide and belongs to no tenant; leave the tenant out")
    if not grant.role.is_cluster_wide and grant.tenant is None:
        raise GrantRefused(f"the role {grant.role} belongs to a tenant; name the tenant")
    if not within(grant.scope, by.scope):
        own = ", ".join(sorted(by.scope or ()))
        raise GrantRefused(f"your own token is narrowed to {own}, and what you grant has to be within that")
    if grant.valid_days is not None and grant.valid_days > MOST_DAYS:
        raise GrantRefused(f"a token is good for {MOST_DAYS} days at most")
    if by.role is Role.OPERATOR:
        return
    if by.role is not Role.TENANT_ADMIN or grant.role not in TENANT_ROLES or grant.tenant != by.tenant:
        raise GrantRefused(f"a {by.role} may make tokens for its own tenant's roles only")


def _check_owner(directory: Directory, by: Principal, grant: Grant) -> None:
    """Raise DoesNotExist or GrantRefused unless the user may hold such a token."""
    if grant.user is None:
        return
    user = directory.user(grant.user)
    if user is None or (by.tenant is not None and user.tenant != by.tenant):
        raise DoesNotExist(grant.user)
    if user.disabled_at is not None:
        raise GrantRefused(f"the user {user.name} is disabled")
    if not user.may_hold(grant.role, grant.tenant):
        what = user.role or "a user"
        where = f" of tenant {user.tenant}" if user.tenant else ""
        raise GrantRefused(f"{user.name} is {what}{where}, and no token of theirs may be more than that")
