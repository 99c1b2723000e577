"""The directory on a database."""

from collections.abc import Sequence
from datetime import datetime

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.reads import nodes as read_fleet
from scheduler.adapters.database.reads import people as read_people
from scheduler.adapters.database.writer import Writer
from scheduler.adapters.database.writes import inventory, people
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
from scheduler.core.model.node import Cluster, Node
from scheduler.core.model.tenant import Quota, Tenant, Token, User
from scheduler.ports.directory import InventoryOutcome


class DatabaseDirectory:
    """What changes rarely (ports.directory). Any method may raise StorageUnavailable."""

    def __init__(self, engines: Engines, writer: Writer) -> None:
        self._engines = engines
        self._writer = writer

    def create_tenant(self, name: TenantName, at: datetime) -> Tenant:
        """Create a tenant. Raises AlreadyExists."""
        tenant = Tenant(name, at)
        self._writer.call(lambda transaction: people.create_tenant(transaction, tenant))
        return tenant

    def tenant(self, name: TenantName) -> Tenant | None:
        """Return a tenant, None where there is none."""
        with self._engines.read() as connection:
            return read_people.read_tenant(connection, name)

    def tenants(self, *, after: TenantName | None, limit: int) -> list[Tenant]:
        """Return tenants by name, those after `after`."""
        with self._engines.read() as connection:
            return read_people.read_tenants(connection, after=after, limit=limit)

    def create_user(self, name: str, tenant: TenantName | None, at: datetime) -> User:
        """Create a user. Raises AlreadyExists, DoesNotExist (the tenant)."""
        user = User(name, tenant, at)
        self._writer.call(lambda transaction: people.create_user(transaction, user))
        return user

    def users(self, *, tenant: TenantName | None, after: str | None, limit: int) -> list[User]:
        """Return users by name; of one tenant, or all where `tenant` is None."""
        with self._engines.read() as connection:
            return read_people.read_users(connection, tenant=tenant, after=after, limit=limit)

    def create_token(self, token: Token) -> None:
        """Keep a token. Raises AlreadyExists (its id or hash), DoesNotExist (its tenant or user)."""
        self._writer.call(lambda transaction: people.create_token(transaction, token))

    def token_by_secret(self, secret_sha256: str) -> Token | None:
        """Return the token with that hash, revoked and expired ones included."""
        with self._engines.read() as connection:
            return read_people.read_token(connection, secret_sha256)

    def tokens(self, *, tenant: TenantName | None, after: str | None, limit: int) -> list[Token]:
        """Return tokens by id; of one tenant, or all where `tenant` is None."""
        with self._engines.read() as connection:
            return read_people.read_tokens(connection, tenant=tenant, after=after, limit=limit)

    def revoke_token(self, token_id: str, tenant: TenantName | None, at: datetime) -> Token:
        """Revoke a token of that tenant (None: of any); revoking twice keeps the first time. Raises DoesNotExist."""
        return self._writer.call(
            lambda transaction: people.revoke_token(transaction, token_id=token_id, tenant=tenant, at=at)
        )

    def set_quota(self, quota: Quota, at: datetime) -> None:
        """Set a quota; what is already held above it stays held. Raises DoesNotExist (tenant or chip)."""
        self._writer.call(lambda transaction: people.set_quota(transaction, quota, at))

    def lift_quota(self, tenant: TenantName, chip: ChipName, at: datetime) -> None:
        """Remove a quota. Raises DoesNotExist."""
        self._writer.call(lambda transaction: people.lift_quota(transaction, tenant=tenant, chip=chip, at=at))

    def quotas(self, tenant: TenantName) -> list[Quota]:
        """Return a tenant's quotas by chip name."""
        with self._engines.read() as connection:
            return read_people.read_quotas(connection, tenant)

    def define_chips(self, chips: Sequence[ChipType], at: datetime) -> int:
        """Add or change chip types by name; returns how many really changed."""
        return self._writer.call(lambda transaction: people.define_chips(transaction, chips, at))

    def chips(self) -> list[ChipType]:
        """Return the catalogue by name."""
        with self._engines.read() as connection:
            return read_fleet.read_chips(connection)

    def register_cluster(self, cluster: Cluster, at: datetime) -> None:
        """Add a cluster, or change what it can do. Raises AlreadyExists where it is there and has another kind."""
        self._writer.call(lambda transaction: people.register_cluster(transaction, cluster, at))

    def clusters(self) -> list[Cluster]:
        """Return all clusters by name."""
        with self._engines.read() as connection:
            return read_fleet.read_clusters(connection)

    def record_nodes(self, cluster: ClusterName, nodes: Sequence[Node], at: datetime) -> InventoryOutcome:
        """Make the cluster's nodes exactly these; absent ones become GONE. Raises DoesNotExist (cluster or chip)."""
        return self._writer.call(lambda transaction: inventory.record_nodes(transaction, cluster, nodes, at))

    def suspect_nodes(self, cluster: ClusterName, note: str, at: datetime) -> int:
        """Make a cluster's nodes SUSPECT with this note; returns how many that changed. Raises DoesNotExist."""
        return self._writer.call(lambda transaction: inventory.suspect_nodes(transaction, cluster, note, at))
