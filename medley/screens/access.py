"""Tenants, users, tokens and quotas."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from medley.screens.amounts import age, moment
from medley.screens.output import printable
from medley.screens.tables import Table

Json = dict[str, Any]


def tenants_table(tenants: Sequence[Json], at: datetime) -> Table:
    """Return one row per tenant."""
    rows = [(tenant["name"], age(tenant.get("created_at"), at)) for tenant in tenants]
    return Table(("NAME", "AGE"), rows, "no tenants yet; `medley tenants create NAME` makes one")


def users_table(users: Sequence[Json], at: datetime) -> Table:
    """Return one row per user."""
    rows = [(printable(user["name"]), user["tenant"] or "", age(user.get("created_at"), at)) for user in users]
    return Table(("NAME", "TENANT", "AGE"), rows, "no users yet; `medley users create NAME` makes one")


def tokens_table(tokens: Sequence[Json], at: datetime) -> Table:
    """Return one row per token; a secret is in none."""
    rows = [
        (
            token["id"],
            printable(token["name"]),
            token["role"],
            token["tenant"] or "all",
            printable(token["user"] or ""),
            "revoked" if token["revoked_at"] else _validity(token["expires_at"], at),
        )
        for token in tokens
    ]
    return Table(("ID", "NAME", "ROLE", "TENANT", "USER", "VALID"), rows, "no tokens")


def _validity(expires_at: str | None, at: datetime) -> str:
    return f"expires {moment(expires_at, at)}" if expires_at else "until revoked"


def quotas_table(quotas: Sequence[Json], tenant: str) -> Table:
    """Return one row per limited chip type."""
    rows = [(quota["chip"], str(quota["devices"])) for quota in quotas]
    return Table(("CHIP", "DEVICES AT MOST"), rows, f"{tenant} has no limits", numbers=("DEVICES AT MOST",))
