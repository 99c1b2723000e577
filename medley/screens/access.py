"""Tenants, users, tokens and quotas."""

from collections.abc import Sequence
from datetime import datetime

from medley.answers import Json
from medley.screens.amounts import age, duration, parse_time
from medley.screens.safe_text import one_line
from medley.screens.tables import Table

_WIDEST_CHANGE = 80


def tenants_table(tenants: Sequence[Json], at: datetime) -> Table:
    """Return one row per tenant."""
    rows = [(tenant["name"], age(tenant.get("created_at"), at)) for tenant in tenants]
    return Table(("NAME", "AGE"), rows, "no tenants yet; `medley tenants create NAME` makes one")


def users_table(users: Sequence[Json], at: datetime) -> Table:
    """Return one row per user."""
    rows = [
        (
            one_line(user["name"]),
            user["tenant"] or "",
            user.get("role") or "any",
            "disabled" if user.get("is_disabled") else "login" if user.get("has_login") else "made here",
            age(user.get("created_at"), at),
        )
        for user in users
    ]
    head = ("NAME", "TENANT", "ROLE", "KIND", "AGE")
    return Table(head, rows, "no users yet; `medley users create NAME` makes one", spare=("AGE", "KIND"))


def tokens_table(tokens: Sequence[Json], at: datetime) -> Table:
    """Return one row per token; a secret is in none."""
    rows = [
        (
            token["id"],
            one_line(token["name"]),
            token["role"],
            token["tenant"] or "all",
            one_line(token["user"] or ""),
            " ".join(token.get("scope") or ["all"]),
            "revoked" if token["revoked_at"] else _validity(token["expires_at"], at),
            age(token["last_used_at"], at) if token.get("last_used_at") else "",
        )
        for token in tokens
    ]
    head = ("ID", "NAME", "ROLE", "TENANT", "USER", "SCOPE", "VALID", "USED")
    return Table(head, rows, "no tokens", spare=("USED", "SCOPE", "USER", "TENANT", "ROLE", "VALID"))


def audit_table(entries: Sequence[Json], at: datetime) -> Table:
    """Return one row per entry of the audit trail."""
    rows = [
        (
            str(entry["number"]),
            age(entry["at"], at),
            one_line(entry["actor"]),
            entry["operation"],
            one_line(f"{entry['object']['kind']}/{entry['object']['name']}"),
            entry["outcome"],
            _difference(entry["before"], entry["after"]),
        )
        for entry in entries
    ]
    head = ("NUMBER", "AGE", "WHO", "WHAT", "TO", "OUTCOME", "CHANGE")
    return Table(head, rows, "nothing was changed, as far as this goes", spare=("CHANGE", "OUTCOME", "NUMBER"))


def _difference(before: Json | None, after: Json | None) -> str:
    """Return the fields that changed, in a few words."""
    if before is None or after is None:
        return "made" if before is None else "removed"
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    return one_line(", ".join(f"{name}: {before.get(name)} -> {after.get(name)}" for name in changed))[:_WIDEST_CHANGE]


def _validity(expires_at: str | None, at: datetime) -> str:
    if not expires_at:
        return "until revoked"
    left_s = (parse_time(expires_at) - at).total_seconds()
    return f"for {duration(left_s)}" if left_s > 0 else "expired"


def quotas_table(quotas: Sequence[Json], tenant: str) -> Table:
    """Return one row per limited chip type."""
    rows = [(quota["chip"], str(quota["devices"])) for quota in quotas]
    return Table(("CHIP", "DEVICES AT MOST"), rows, f"{tenant} has no limits", numbers=("DEVICES AT MOST",))
