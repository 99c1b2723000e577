"""What changes rarely: tenants, users, tokens, quotas, clusters with their nodes, chip types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from scheduler.core.model.access.audit import Actor
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, ClusterName, NodeId, TenantName
from scheduler.core.model.node import Cluster, Drain, Node
from scheduler.core.model.tenant import Holder, Quota, Tenant, Token, User
from scheduler.ports.journal import Guard, unguarded


class AlreadyExists(Exception):
    """Something of that name is there."""


class DoesNotExist(Exception):
    """Nothing of that name is there; `args[0]` names it."""


class InUse(Exception):
    """It is still used; `args[0]` says by whom, for people."""


class IsOver(Exception):
    """The token is revoked or expired: nothing makes it good again."""


class IsDisabled(Exception):
    """The user is disabled."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new secret for a token."""

    key_sha256: str
    """Of the caller's own name for this replacement: the same one again changes nothing."""
    secret_sha256_of: Callable[[int], str]
    """From how often the token's secret was replaced, this time included, to the hash of the new one. Pure."""
    old_until: datetime
    """Until when the secret of before opens as well."""
    expires_at: datetime | None
    """When the token ends from now on; None leaves it as it is."""


@dataclass(frozen=True, slots=True)
class InventoryOutcome:
    """What became of a recorded inventory."""

    added: int
    changed: int
    gone: int
    held_back: tuple[NodeId, ...]
    """Nodes that shrank below what is held on them, or of which others use too much beside it.

    They keep their old capacity less the foreign use they had, and are drained until what is held fits.
    """


class Directory(Protocol):
    """Reads are plain; every write is durable when it returns.

    Writes of tenants, quotas, clusters, nodes and chip types are then in the change feed as well. Users and tokens
    never are: nothing is decided on them. Any write may raise StorageUnavailable (ports.journal).
    """

    def create_tenant(self, name: TenantName, at: datetime) -> Tenant:
        """Create a tenant. Raises AlreadyExists."""
        ...

    def tenant(self, name: TenantName) -> Tenant | None:
        """Return a tenant, None where there is none."""
        ...

    def tenants(self, *, after: TenantName | None, limit: int) -> list[Tenant]:
        """Return tenants by name, those after `after`."""
        ...

    def create_user(self, user: User) -> User:
        """Create a user. Raises AlreadyExists, DoesNotExist (the tenant)."""
        ...

    def change_user(self, name: str, change: Callable[[User], User], at: datetime) -> User:
        """Make a user what `change` makes of what they are; when they were created stays.

        It is asked within the transaction, maybe more than once, and what it raises stops the write. Raises
        DoesNotExist (user, tenant).
        """
        ...

    def user(self, name: str) -> User | None:
        """Return a user, None where there is none."""
        ...

    def users(self, *, tenant: TenantName | None, after: str | None, limit: int) -> list[User]:
        """Return users by name; of one tenant, or all where `tenant` is None."""
        ...

    def record_login(self, user: User, token: Token, proof_sha256: str) -> Token:
        """Keep the token of a login, and its user as they are by that login, in one transaction; returns it as kept.

        Who is known by their subject keeps the name they had.

        Raises AlreadyExists where the proof was used before, or the user's name belongs to somebody else;
        DoesNotExist (the tenant), IsDisabled.
        """
        ...

    def create_token(self, token: Token) -> None:
        """Keep a token. Raises AlreadyExists (its id or hash), DoesNotExist (its tenant or user)."""
        ...

    def holder_of(self, secret_sha256: str) -> Holder | None:
        """Return the token that has or had the secret with that hash, revoked and expired ones included."""
        ...

    def token(self, token_id: str, tenant: TenantName | None) -> Token | None:
        """Return a token of that tenant (None: of any) by its id, None where there is none."""
        ...

    def tokens(self, *, tenant: TenantName | None, after: str | None, limit: int) -> list[Token]:
        """Return tokens by id; of one tenant, or all where `tenant` is None."""
        ...

    def rotate_token(self, token_id: str, rotation: Rotation, at: datetime) -> Token:
        """Replace a token's secret; the one before it opens a while longer. Raises DoesNotExist, IsOver."""
        ...

    def note_use(self, token_id: str, at: datetime) -> None:
        """Keep soon that a token was used, unless a use less than five minutes ago is known. Waits for nothing."""
        ...

    def revoke_token(self, token_id: str, tenant: TenantName | None, at: datetime, guard: Guard = unguarded) -> Token:
        """Revoke a token of that tenant (None: of any); revoking twice keeps the first time.

        Raises DoesNotExist, and what the guard does, which is asked with what people change of it (Token.edited).
        """
        ...

    def set_quota(self, quota: Quota, at: datetime, guard: Guard = unguarded) -> None:
        """Set a quota; what is already held above it stays held.

        Raises DoesNotExist (tenant or chip), and what the guard does, which is asked with the present one or None.
        """
        ...

    def lift_quota(self, tenant: TenantName, chip: ChipName, at: datetime, guard: Guard = unguarded) -> None:
        """Remove a quota. Raises DoesNotExist, and what the guard does, which is asked with it."""
        ...

    def quotas(self, tenant: TenantName) -> list[Quota]:
        """Return a tenant's quotas by chip name."""
        ...

    def define_chips(self, chips: Sequence[ChipType], at: datetime, guard: Guard = unguarded) -> int:
        """Add or change chip types by name; returns how many really changed.

        Raises what the guard does, which is asked with each present one, None where there is none of that name.
        """
        ...

    def chip(self, name: ChipName) -> ChipType | None:
        """Return one of the catalogue, None where there is none of that name."""
        ...

    def chips(self) -> list[ChipType]:
        """Return the catalogue by name."""
        ...

    def register_cluster(self, cluster: Cluster, at: datetime) -> None:
        """Add a cluster, or change what it can do. Raises AlreadyExists where it is there and has another kind."""
        ...

    def clusters(self) -> list[Cluster]:
        """Return all clusters by name."""
        ...

    def record_nodes(self, cluster: ClusterName, nodes: Sequence[Node], at: datetime) -> InventoryOutcome:
        """Make the cluster's nodes exactly these; absent ones become GONE. Raises DoesNotExist (cluster or chip).

        A node's tenant need not exist. What an operator drained stays so, whatever its cluster says of it.
        """
        ...

    def drain_node(self, node: NodeId, drain: Drain, guard: Guard = unguarded) -> None:
        """Let a node take nothing new, until that is taken back; what it runs goes on.

        The same wish again changes nothing, another one replaces it. Raises DoesNotExist, and what the guard does.
        """
        ...

    def undrain_node(self, node: NodeId, at: datetime, guard: Guard = unguarded) -> None:
        """Make a node again what its cluster says it is; without effect where nobody drained it.

        Raises DoesNotExist, and what the guard does.
        """
        ...

    def suspect_nodes(self, cluster: ClusterName, note: str, at: datetime) -> int:
        """Make a cluster's nodes, as they were last recorded, SUSPECT with this note until they are recorded again.

        What an operator drained stays so. Returns how many that changed. Raises DoesNotExist.
        """
        ...

    def acting(self, actor: Actor) -> Self:
        """Return the directory whose writes are in somebody's name: each adds to the trail (ports.records.audit)."""
        ...
