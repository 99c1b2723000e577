"""The directory on a database."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self, TypeVar

from sqlalchemy.exc import IntegrityError

from scheduler.adapters.database.access import tokens, users
from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.queues import quota_writes, reading
from scheduler.adapters.database.reads import nodes as read_fleet
from scheduler.adapters.database.reads import people as read_people
from scheduler.adapters.database.transaction import Transaction
from scheduler.adapters.database.writer import Writer
from scheduler.adapters.database.writes import drains, inventory, people
from scheduler.core.model.access.audit import Actor
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, ClusterName, NodeId, TenantName
from scheduler.core.model.node import Cluster, Drain, Node
from scheduler.core.model.tenant import Holder, Quota, Tenant, Token, User
from scheduler.ports.directory import AlreadyExists, InventoryOutcome, Rotation
from scheduler.ports.journal import Guard, unguarded

T = TypeVar("T")


class DatabaseDirectory:
    """What changes rarely (ports.directory). Any method may raise StorageUnavailable."""

    def __init__(self, engines: Engines, writer: Writer, actor: Actor | None = None) -> None:
        self._engines = engines
        self._writer = writer
        self._actor = actor

    def acting(self, actor: Actor) -> Self:
        """Return the directory whose writes are in somebody's name."""
        return type(self)(self._engines, self._writer, actor)

    def create_tenant(self, name: TenantName, at: datetime) -> Tenant:
        """Create a tenant. Raises AlreadyExists."""
        tenant = Tenant(name, at)
        self._write(lambda transaction: people.create_tenant(transaction, tenant))
        return tenant

    def tenant(self, name: TenantName) -> Tenant | None:
        """Return a tenant, None where there is none."""
        with self._engines.read() as connection:
            return read_people.read_tenant(connection, name)

    def tenants(self, *, after: TenantName | None, limit: int) -> list[Tenant]:
        """Return tenants by name, those after `after`."""
        with self._engines.read() as connection:
            return read_people.read_tenants(connection, after=after, limit=limit)

    def create_user(self, user: User) -> User:
        """Create a user. Raises AlreadyExists, DoesNotExist (the tenant)."""
        self._write(lambda transaction: users.create_user(transaction, user))
        return user

    def change_user(self, name: str, change: Callable[[User], User], at: datetime) -> User:
        """Make a user what `change` makes of what they are. Raises DoesNotExist (the user, the tenant)."""
        return self._write(lambda transaction: users.change_user(transaction, name, change, at))

    def user(self, name: str) -> User | None:
        """Return a user, None where there is none."""
        with self._engines.read() as connection:
            return users.read_user(connection, name)

    def users(self, *, tenant: TenantName | None, after: str | None, limit: int) -> list[User]:
        """Return users by name; of one tenant, or all where `tenant` is None."""
        with self._engines.read() as connection:
            return users.read_users(connection, tenant=tenant, after=after, limit=limit)

    def record_login(self, user: User, token: Token, proof_sha256: str) -> Token:
        """Keep a login's token and its user. Raises AlreadyExists (the proof, or the name), DoesNotExist (tenant)."""

        def record(transaction: Transaction) -> Token:
            known = users.record_identity(transaction, user, proof_sha256)
            made = replace(token, user=known.name)
            tokens.create_token(transaction, made)
            return made

        try:
            return self._write(record)
        except IntegrityError as error:  # another process took the same proof at the same moment
            raise AlreadyExists(proof_sha256) from error

    def create_token(self, token: Token) -> None:
        """Keep a token. Raises AlreadyExists (its id or hash), DoesNotExist (its tenant or user)."""
        self._write(lambda transaction: tokens.create_token(transaction, token))

    def holder_of(self, secret_sha256: str) -> Holder | None:
        """Return the token that has or had the secret with that hash, revoked and expired ones included."""
        with self._engines.read() as connection:
            return tokens.read_holder(connection, secret_sha256)

    def token(self, token_id: str, tenant: TenantName | None) -> Token | None:
        """Return a token of that tenant (None: of any) by its id, None where there is none."""
        with self._engines.read() as connection:
            return tokens.read_token(connection, token_id, tenant)

    def tokens(self, *, tenant: TenantName | None, after: str | None, limit: int) -> list[Token]:
        """Return tokens by id; of one tenant, or all where `tenant` is None."""
        with self._engines.read() as connection:
            return tokens.read_tokens(connection, tenant=tenant, after=after, limit=limit)

    def rotate_token(self, token_id: str, rotation: Rotation, at: datetime) -> Token:
        """Replace a token's secret; the one before it opens a while longer. Raises DoesNotExist, IsOver."""
        return self._write(lambda transaction: tokens.rotate_token(transaction, token_id, rotation, at))

    def note_use(self, token_id: str, at: datetime) -> None:
        """Keep soon that a token was used; waits for nothing."""
        self._writer.post(lambda transaction: tokens.note_use(transaction, token_id, at))

    def revoke_token(self, token_id: str, tenant: TenantName | None, at: datetime, guard: Guard = unguarded) -> Token:
        """Revoke a token of that tenant (None: of any); revoking twice keeps the first time. Raises DoesNotExist."""
        return self._write(
            lambda transaction: tokens.revoke_token(transaction, token_id=token_id, tenant=tenant, at=at, guard=guard)
        )

    def set_quota(self, quota: Quota, at: datetime, guard: Guard = unguarded) -> None:
        """Set a quota; what is already held above it stays held. Raises DoesNotExist (tenant or chip)."""
        self._write(lambda transaction: quota_writes.set_limit(transaction, quota, at, guard))

    def lift_quota(self, tenant: TenantName, chip: ChipName, at: datetime, guard: Guard = unguarded) -> None:
        """Remove a quota. Raises DoesNotExist."""
        self._write(lambda transaction: quota_writes.lift_limit(transaction, tenant, chip, at, guard=guard))

    def quotas(self, tenant: TenantName) -> list[Quota]:
        """Return the limits of a tenant's own queue by chip name."""
        with self._engines.read() as connection:
            quotas = [quota_writes.limit_of(quota) for quota in reading.read_quotas(connection, tenant)]
        return [quota for quota in quotas if quota is not None]

    def define_chips(self, chips: Sequence[ChipType], at: datetime, guard: Guard = unguarded) -> int:
        """Add or change chip types by name; returns how many really changed."""
        return self._write(lambda transaction: people.define_chips(transaction, chips, at, guard))

    def chip(self, name: ChipName) -> ChipType | None:
        """Return one of the catalogue, None where there is none of that name."""
        with self._engines.read() as connection:
            return read_fleet.read_chip(connection, name)

    def chips(self) -> list[ChipType]:
        """Return the catalogue by name."""
        with self._engines.read() as connection:
            return read_fleet.read_chips(connection)

    def register_cluster(self, cluster: Cluster, at: datetime) -> None:
        """Add a cluster, or change what it can do. Raises AlreadyExists where it is there and has another kind."""
        self._write(lambda transaction: people.register_cluster(transaction, cluster, at))

    def clusters(self) -> list[Cluster]:
        """Return all clusters by name."""
        with self._engines.read() as connection:
            return read_fleet.read_clusters(connection)

    def record_nodes(self, cluster: ClusterName, nodes: Sequence[Node], at: datetime) -> InventoryOutcome:
        """Make the cluster's nodes exactly these; absent ones become GONE. Raises DoesNotExist (cluster or chip)."""
        return self._write(lambda transaction: inventory.record_nodes(transaction, cluster, nodes, at))

    def suspect_nodes(self, cluster: ClusterName, note: str, at: datetime) -> int:
        """Make a cluster's nodes SUSPECT with this note; returns how many that changed. Raises DoesNotExist."""
        return self._write(lambda transaction: inventory.suspect_nodes(transaction, cluster, note, at))

    def drain_node(self, node: NodeId, drain: Drain, guard: Guard = unguarded) -> None:
        """Let a node take nothing new, until that is taken back. Raises DoesNotExist, and what the guard does."""
        self._write(lambda transaction: drains.drain_node(transaction, node, drain, guard))

    def undrain_node(self, node: NodeId, at: datetime, guard: Guard = unguarded) -> None:
        """Make a node again what its cluster says it is. Raises DoesNotExist, and what the guard does."""
        self._write(lambda transaction: drains.undrain_node(transaction, node, at, guard))

    def _write(self, function: Callable[[Transaction], T]) -> T:
        return self._writer.call(function, self._actor)
