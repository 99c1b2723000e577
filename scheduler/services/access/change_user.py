"""Change what a user is: their tenant, their role, whether they are disabled."""

from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.tenant import TENANT_ROLES, Principal, Role, User
from scheduler.ports.clock import Clock
from scheduler.ports.directory import Directory, DoesNotExist
from scheduler.ports.journal import Guard, unguarded
from scheduler.services.access.grant_access import GrantRefused


@dataclass(frozen=True, slots=True)
class UserChange:
    """What becomes of a user; what is False or None in `changed` stays as it is."""

    tenant: TenantName | None = None
    role: Role | None = None
    is_disabled: bool = False
    changed: frozenset[str] = frozenset()
    """Which of the three are given."""


class RoleWithoutTenant(Exception):
    """A tenant's role without a tenant, or a cluster-wide one with a tenant."""


def change_user(
    directory: Directory,
    clock: Clock,
    *,
    by: Principal,
    name: str,
    change: UserChange,
    guard: Guard = unguarded,
) -> User:
    """Write the change; a disabled user's tokens open nothing from then on, and open again when that is taken back.

    Raises DoesNotExist (the user, or one of another tenant; the tenant), GrantRefused, RoleWithoutTenant, and what the
    guard does, which is asked with the user as they are.
    """
    now = clock.now()

    def become(present: User) -> User:
        if by.tenant is not None and present.tenant != by.tenant:
            raise DoesNotExist(name)
        guard(present)
        return _changed(present, by, change, now)

    return directory.change_user(name, become, now)


def _changed(user: User, by: Principal, change: UserChange, now: datetime) -> User:
    wanted = user
    if "tenant" in change.changed:
        wanted = replace(wanted, tenant=change.tenant)
    if "role" in change.changed:
        wanted = replace(wanted, role=change.role)
    if "is_disabled" in change.changed:
        wanted = replace(wanted, disabled_at=(user.disabled_at or now) if change.is_disabled else None)
    check_role(wanted)
    if by.role is not Role.OPERATOR and (wanted.tenant != by.tenant or wanted.role not in (*TENANT_ROLES, None)):
        raise GrantRefused(f"a {by.role} may change its own tenant's users within that tenant only")
    return wanted


def check_role(user: User) -> None:
    """Raise RoleWithoutTenant unless the user's role and tenant go together; without a role any tenant will do."""
    if user.role is not None and user.role.is_cluster_wide != (user.tenant is None):
        raise RoleWithoutTenant(
            f"the role {user.role} is cluster-wide and belongs to no tenant"
            if user.role.is_cluster_wide
            else f"the role {user.role} belongs to a tenant"
        )
