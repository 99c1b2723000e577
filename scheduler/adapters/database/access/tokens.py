"""Writing and reading tokens."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select, update

from scheduler.adapters.database.access.users import user_of
from scheduler.adapters.database.documents import WORDS
from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.people import tenants, tokens, users
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.core.model.access.audit import Act, State
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import Holder, Role, Scope, Token
from scheduler.ports.directory import AlreadyExists, DoesNotExist, IsOver, Rotation
from scheduler.ports.journal import Guard

USE_NOTED_EVERY = timedelta(minutes=5)
"""Also where several processes, or several requests at once, see the same token used."""
_SECRETS = ("secret_sha256", "rotation_key_sha256", "old_secret_sha256")
_OWNER = tuple(column.label(f"owner_{column.name}") for column in users.columns)
_HOLDER = (
    select(tokens, *_OWNER)
    .outerjoin(users, users.c.name == tokens.c.user)
    .where(
        or_(
            tokens.c.secret_sha256 == bindparam("secret_sha256"),
            tokens.c.old_secret_sha256 == bindparam("secret_sha256"),
        )
    )
)
_NOTE_USE = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("token_id"),
        or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at <= bindparam("noted_before")),
    )
    .values(last_used_at=bindparam("at"))
)


def token_of(row: AnyRow) -> Token:
    """Return the token of a row of `tokens`, whatever else the row has."""
    found = {column.name: getattr(row, column.name) for column in tokens.columns}
    scope = None if row.scope is None else frozenset(map(Scope, WORDS.decode(row.scope)))
    return Token(**{**found, "role": Role(row.role), "scope": scope})


def create_token(transaction: Transaction, token: Token) -> None:
    """Write a token. Raises AlreadyExists (its id or hash), DoesNotExist (its tenant or user)."""
    if transaction.has(tokens.c.id, token.id) or transaction.has(tokens.c.secret_sha256, token.secret_sha256):
        raise AlreadyExists(token.id)
    transaction.require(tenants.c.name, token.tenant)
    transaction.require(users.c.name, token.user)
    transaction.insert(tokens, [_row(token)])
    transaction.audit(Act("token", token.id, token.tenant, token.created_at, None, told(token)))


def revoke_token(
    transaction: Transaction, *, token_id: str, tenant: TenantName | None, at: datetime, guard: Guard
) -> Token:
    """Revoke a token; a revoked one keeps its time.

    Raises DoesNotExist, also for another tenant's, and what the guard does.
    """
    token = _locked(transaction, token_id)
    if tenant not in (None, token.tenant):
        raise DoesNotExist(token_id)
    guard(token.edited)
    if token.revoked_at is not None:
        return token
    transaction.connection.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=at))
    revoked = replace(token, revoked_at=at)
    transaction.audit(Act("token", token_id, token.tenant, at, told(token), told(revoked)))
    return revoked


def rotate_token(transaction: Transaction, token_id: str, rotation: Rotation, at: datetime) -> Token:
    """Replace a secret; the same key again changes nothing. Raises DoesNotExist, IsOver."""
    token = _locked(transaction, token_id)
    if not token.is_valid(at):
        raise IsOver(token_id)
    if token.rotation_key_sha256 == rotation.key_sha256:
        return token
    number = token.rotations + 1
    rotated = replace(
        token,
        rotations=number,
        rotation_key_sha256=rotation.key_sha256,
        secret_sha256=rotation.secret_sha256_of(number),
        old_secret_sha256=token.secret_sha256,
        old_secret_until=rotation.old_until,
        expires_at=rotation.expires_at or token.expires_at,
    )
    transaction.connection.execute(update(tokens).where(tokens.c.id == token_id).values(_row(rotated)))
    transaction.audit(Act("token", token_id, token.tenant, at, told(token), told(rotated)))
    return rotated


def note_use(transaction: Transaction, token_id: str, at: datetime) -> None:
    """Write when a token was used, unless a use less than five minutes before is known. No entry of the trail."""
    noted = {"token_id": token_id, "at": at, "noted_before": at - USE_NOTED_EVERY}
    transaction.connection.execute(_NOTE_USE, noted)


def read_holder(connection: Connection, secret_sha256: str) -> Holder | None:
    """Return the token that has or had a secret, with its owner."""
    row = connection.execute(_HOLDER, {"secret_sha256": secret_sha256}).first()
    if row is None:
        return None
    owner = None if row.owner_name is None else user_of(row, "owner_")
    return Holder(token_of(row), owner, secret_sha256)


def read_token(connection: Connection, token_id: str, tenant: TenantName | None) -> Token | None:
    """Return a token by its id, None where there is none of that tenant (None: of any)."""
    row = connection.execute(_of_tenant(select(tokens).where(tokens.c.id == token_id), tenant)).first()
    return None if row is None else token_of(row)


def read_tokens(connection: Connection, *, tenant: TenantName | None, after: str | None, limit: int) -> list[Token]:
    """Return tokens by id; of one tenant, or all."""
    asked = _of_tenant(select(tokens), tenant)
    later = asked if after is None else asked.where(tokens.c.id > after)
    return [token_of(row) for row in connection.execute(later.order_by(tokens.c.id).limit(limit))]


def told(token: Token) -> State:
    """Return what an audit entry says of a token: everything but its hashes."""
    kept = {name: value for name, value in asdict(token).items() if name not in _SECRETS}
    return kept | {"scope": None if token.scope is None else sorted(token.scope)}


def _of_tenant(asked: Select[Any], tenant: TenantName | None) -> Select[Any]:
    return asked if tenant is None else asked.where(tokens.c.tenant == tenant)


def _row(token: Token) -> Row:
    scope = None if token.scope is None else WORDS.encode(tuple(sorted(token.scope)))
    return asdict(token) | {"scope": scope}


def _locked(transaction: Transaction, token_id: str) -> Token:
    row = transaction.connection.execute(select(tokens).where(tokens.c.id == token_id).with_for_update()).first()
    if row is None:
        raise DoesNotExist(token_id)
    return token_of(row)
