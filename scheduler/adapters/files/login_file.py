"""The organisation's login, as a YAML file.

`examples/login.yaml` explains it::

    issuer: https://sso.example.com/realms/main
    server_url: https://medley.example.com
    client_id: medley
    client_secret_file: /etc/medley/client.secret   # left out: a public client
    command_client_id: medley-command               # default: client_id
    scopes: [openid, profile, email]                # the default
    name_claim: preferred_username                  # the default
    groups_claim: groups                            # the default
    session_hours: 8                                # the default, 24 at most
    groups:                                         # the first that fits somebody counts
      - {group: cluster-operators, role: operator}
      - {group: vision, tenant: vision, role: submitter}
      - {group: "*", tenant: guests}                # whoever can log in: a viewer, and no more
"""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from scheduler.adapters.files.marked_yaml import Marked, read_marked, suggest
from scheduler.core.model.tenant import Role
from scheduler.ports.identity import EVERY_GROUP, GroupRule, LoginConfiguration

USUAL_SCOPES = ("openid", "profile", "email")
MOST_RULES = 1_000
LARGEST_SECRET_BYTES = 4_096
_REQUIRED = ("issuer", "server_url", "client_id", "groups")
_OPTIONAL = ("client_secret_file", "command_client_id", "scopes", "name_claim", "groups_claim", "session_hours")
_USUAL_HOURS = 8
_MOST_HOURS = 24
_TENANT = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def read_login(path: Path) -> LoginConfiguration:
    """Return what a file says. Raises FileError."""
    given = read_marked(path).fields(required=_REQUIRED, optional=_OPTIONAL)
    client_id = given["client_id"].text()
    hours = given["session_hours"].whole_number(least=1, most=_MOST_HOURS) if "session_hours" in given else _USUAL_HOURS
    return LoginConfiguration(
        issuer=_url(given["issuer"]),
        client_id=client_id,
        client_secret=_secret(given["client_secret_file"], path) if "client_secret_file" in given else None,
        command_client_id=given["command_client_id"].text() if "command_client_id" in given else client_id,
        server_url=_server_url(given["server_url"]),
        scopes=_scopes(given["scopes"]) if "scopes" in given else USUAL_SCOPES,
        name_claim=given["name_claim"].text() if "name_claim" in given else "preferred_username",
        groups_claim=given["groups_claim"].text() if "groups_claim" in given else "groups",
        rules=_rules(given["groups"]),
        session=timedelta(hours=hours),
    )


def _url(entry: Marked) -> str:
    """Return an address that can be trusted: https, or this machine's own."""
    text = entry.text()
    try:
        parts = urlsplit(text)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        is_plain = bool(parts.hostname) and "@" not in parts.netloc and not parts.query and not parts.fragment
        is_good = is_safe and is_plain and (parts.port is None or parts.port > 0)
    except ValueError:
        is_good = False
    if not is_good or not text.isascii() or any(character.isspace() for character in text):
        raise entry.error(
            f"{text[:200]!r} is no address to trust",
            what_to_do="write https://HOST/..., without a password, query or fragment; http for this machine only",
        )
    return text


def _server_url(entry: Marked) -> str:
    text = _url(entry)
    if urlsplit(text).path not in ("", "/"):
        raise entry.error(f"{text!r} has a path", what_to_do="write https://HOST:PORT with nothing after it")
    return text.rstrip("/")


def _secret(entry: Marked, path: Path) -> str:
    file = path.parent / entry.text()
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_SECRET_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise entry.error(f"{file} cannot be read: {why}", what_to_do="name a file with the secret alone") from error
    if not content:
        raise entry.error(f"{file} is empty", what_to_do="write the secret into it, or leave client_secret_file out")
    return content


def _scopes(entry: Marked) -> tuple[str, ...]:
    scopes = tuple(item.text() for item in entry.items())
    if "openid" not in scopes:
        raise entry.error("the scope openid is missing", what_to_do="add it: without it no issuer says who somebody is")
    return scopes


def _rules(entry: Marked) -> tuple[GroupRule, ...]:
    items = entry.items()
    if not 1 <= len(items) <= MOST_RULES:
        raise entry.error(f"{len(items)} groups", what_to_do=f"name from 1 to {MOST_RULES}: nobody could log in")
    return tuple(_rule(item) for item in items)


def _rule(entry: Marked) -> GroupRule:
    given = entry.fields(required=("group",), optional=("tenant", "role"))
    group, role = given["group"].text(), _role(given["role"]) if "role" in given else Role.VIEWER
    tenant = given["tenant"].text() if "tenant" in given else None
    if tenant is not None and not _TENANT.fullmatch(tenant):
        raise given["tenant"].error(
            f"{tenant[:63]!r} is no tenant's name", what_to_do="write it as the tenant is called"
        )
    if role.is_cluster_wide != (tenant is None):
        what_to_do = "leave the tenant out" if role.is_cluster_wide else "name the tenant"
        raise entry.error(
            f"the role {role} {'belongs to no tenant' if tenant else 'needs a tenant'}", what_to_do=what_to_do
        )
    if group == EVERY_GROUP and role is not Role.VIEWER:
        raise entry.error(f"everybody would be {role}", what_to_do="give everybody the role viewer, or name a group")
    return GroupRule(group, role, tenant)


def _role(entry: Marked) -> Role:
    text = entry.text()
    try:
        return Role(text)
    except ValueError:
        raise entry.error(f"unknown role {text[:63]!r}", what_to_do=suggest(text[:63], list(Role))) from None
