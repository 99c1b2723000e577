"""Writing and reading users."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.audit import used_proofs
from scheduler.adapters.database.schema.people import tenants, tokens, users
from scheduler.adapters.database.transaction import Transaction
from scheduler.core.model.access.audit import Act
from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import Role, User
from scheduler.ports.directory import AlreadyExists, DoesNotExist, IsDisabled

PROOFS_KEPT = timedelta(days=2)
"""Longer than any proof is accepted."""
LOGINS_KEPT = timedelta(days=7)
"""How long a login that is over is still listed; the audit trail tells of it longer."""


def user_of(row: AnyRow, prefix: str = "") -> User:
    """Return the user of a row whose columns are those of `users`, each with a prefix."""
    found = {column.name: getattr(row, prefix + column.name) for column in users.columns}
    return User(**{**found, "role": None if found["role"] is None else Role(found["role"])})


def create_user(transaction: Transaction, user: User) -> None:
    """Write a user. Raises AlreadyExists, DoesNotExist (the tenant)."""
    if transaction.has(users.c.name, user.name):
        raise AlreadyExists(user.name)
    transaction.require(tenants.c.name, user.tenant)
    transaction.insert(users, [asdict(user)])
    transaction.audit(Act("user", user.name, user.tenant, user.created_at, None, asdict(user)))


def change_user(transaction: Transaction, name: str, change: Callable[[User], User], at: datetime) -> User:
    """Write what becomes of a user; returns how they are now. Raises DoesNotExist (the user, the tenant)."""
    row = transaction.connection.execute(select(users).where(users.c.name == name).with_for_update()).first()
    if row is None:
        raise DoesNotExist(name)
    before = user_of(row)
    after = replace(change(before), name=name, created_at=before.created_at)
    transaction.require(tenants.c.name, after.tenant)
    if after != before:
        transaction.connection.execute(update(users).where(users.c.name == name).values(asdict(after)))
        transaction.audit(Act("user", name, after.tenant, at, asdict(before), asdict(after)))
    return after


def record_identity(transaction: Transaction, user: User, proof_sha256: str) -> User:
    """Write who logged in, as the login says they are; the proof may never be used again.

    Somebody whose name at the login changed keeps the one they had. Raises AlreadyExists with `args[0]` being the proof
    or the name, DoesNotExist (the tenant), IsDisabled.
    """
    connection, at = transaction.connection, user.created_at
    connection.execute(delete(used_proofs).where(used_proofs.c.at < at - PROOFS_KEPT))
    connection.execute(delete(tokens).where(tokens.c.is_login, tokens.c.expires_at < at - LOGINS_KEPT))
    if transaction.has(used_proofs.c.sha256, proof_sha256):
        raise AlreadyExists(proof_sha256)
    transaction.insert(used_proofs, [{"sha256": proof_sha256, "at": at}])
    row = connection.execute(select(users).where(users.c.subject == user.subject).with_for_update()).first()
    if row is None:
        create_user(transaction, user)
        return user
    known = user_of(row)
    if known.disabled_at is not None:
        raise IsDisabled(known.name)
    return change_user(transaction, known.name, lambda _: user, at)


def read_user(connection: Connection, name: str) -> User | None:
    """Return a user, None where there is none."""
    row = connection.execute(select(users).where(users.c.name == name)).first()
    return None if row is None else user_of(row)


def read_users(connection: Connection, *, tenant: TenantName | None, after: str | None, limit: int) -> list[User]:
    """Return users by name; of one tenant, or all."""
    asked = select(users) if tenant is None else select(users).where(users.c.tenant == tenant)
    later = asked if after is None else asked.where(users.c.name > after)
    return [user_of(row) for row in connection.execute(later.order_by(users.c.name).limit(limit))]
