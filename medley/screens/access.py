"""Tenants, users, tokens and quotas."""

from collections.abc import Sequence
from datetime import datetime

from medley.answers import Json
from medley.screens.amounts import age, duration, parse_time
from medley.screens.safe_text import one_line
from medley.screens.tables import Table


def tenants_table(tenants: Sequence[Json], at: datetime) -> Table:
    """Return one row per tenant."""
    rows = [(tenant["name"], age(tenant.get("created_at"), at)) for tenant in tenants]
    return Table(("NAME", "AGE"), rows, "no tenants yet; `medley tenants create NAME` makes one")


def users_table(users: Sequence[Json], at: datetime) -> Table:
    """Return one row per user."""
    rows = [(one_line(user["name"]), user["tenant"] or "", age(user.get("created_at"), at)) for user in users]
    return Table(("NAME", "TENANT", "AGE"), rows, "no users yet; `medley users create NAME` makes one")


def tokens_table(tokens: Sequence[Json], at: datetime) -> Table:
    """Return one row per token; a secret is in none."""
    rows = [
        (
            token["id"],
            one_line(token["name"]),
            token["role"],
            token["tenant"] or "all",
            one_line(token["user"] or ""),
            "revoked" if token["revoked_at"] else _validity(token["expires_at"], at),
        )
        for token in tokens
    ]
    head = ("ID", "NAME", "ROLE", "TENANT", "USER", "VALID")
    return Table(head, rows, "no tokens", spare=("USER", "TENANT", "ROLE", "VALID"))


def _validity(expires_at: str | None, at: datetime) -> str:
    if not expires_at:
        return "until revoked"
    left_s = (parse_time(expires_at) - at).total_seconds()
    return f"for {duration(left_s)}" if left_s > 0 else "expired"


def quotas_table(quotas: Sequence[Json], tenant: str) -> Table:
    """Return one row per limited chip type."""
    rows = [(quota["chip"], str(quota["devices"])) for quota in quotas]
    return Table(("CHIP", "DEVICES AT MOST"), rows, f"{tenant} has no limits", numbers=("DEVICES AT MOST",))
