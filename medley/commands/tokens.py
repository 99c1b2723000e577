"""Tokens: list, create, give a new secret, revoke."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from medley.answers import Json
from medley.commands.access import Role
from medley.commands.connection import OutputOption, connected
from medley.errors import BadUsage
from medley.exit_codes import ExitCode
from medley.screens.access import tokens_table
from medley.screens.amounts import now
from medley.screens.output import print_json, print_listing, say, talk

Scope = Literal[
    "jobs:read",
    "jobs:write",
    "fleet:read",
    "fleet:write",
    "access:read",
    "access:write",
    "audit:read",
    "service:read",
]
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TIME = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)

tokens = App(name="tokens", group_parameters="Options")


def list_tokens(*, output: OutputOption = "table") -> int:
    """List tokens; what they open with is shown nowhere."""
    with connected() as client:
        found = list(client.tokens())
    print_listing(output, found, "id", lambda: tokens_table(found, now()))
    return ExitCode.OK


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """What a new token is good for."""

    role: Annotated[Role, Parameter(help="What it may do.")]
    tenant: Annotated[str | None, Parameter(help="Whose jobs; none for operator and auditor.")] = None
    user: Annotated[str | None, Parameter(help="The person it belongs to; none for a service.")] = None
    expires: Annotated[
        str | None,
        Parameter(name=["--expires", "--expires-in-days"], help="How long it is good, such as 30d; 90 days else."),
    ] = None
    scope: Annotated[
        tuple[Scope, ...],
        Parameter(negative="", show_default=False, help="Narrows it to this; may be given several times."),
    ] = ()


@tokens.command(name="create")
def create_token(name: str, /, options: TokenOptions, *, output: OutputOption = "table") -> int:
    """Create a token and print it, this once: only its hash is kept."""
    wanted: dict[str, Any] = {
        "name": name,
        "role": options.role,
        "tenant": options.tenant,
        "user": options.user,
        "expires_in_days": days(options.expires),
    }
    if options.scope:
        wanted["scope"] = list(options.scope)
    with connected() as client:
        made = client.create_token(wanted)
    _print_secret(made, output)
    return ExitCode.OK


@tokens.command(name="rotate")
def rotate_token(
    token: str,
    /,
    *,
    overlap: Annotated[str, Parameter(help="How long the old secret opens as well, such as 30m, 12h or 0m.")] = "1h",
    expires: Annotated[str | None, Parameter(help="When it ends from now on, such as 90d; else as before.")] = None,
    key: Annotated[str | None, Parameter(help="Your own name for this: given again, it has the same answer.")] = None,
    output: OutputOption = "table",
) -> int:
    """Give a token, named by its id, a new secret and print that, this once. The old one opens a while longer."""
    with connected() as client:
        made = client.rotate_token(token, key=key, overlap_s=seconds(overlap), expires_in_days=days(expires))
    _print_secret(made, output)
    if output == "table":
        talk(f"the old secret opens until {made['old_secret_until']}")
    return ExitCode.OK


@tokens.command(name="revoke")
def revoke_token(token: str, /, *, output: OutputOption = "table") -> int:
    """Make a token, given by its id, good for nothing."""
    with connected() as client:
        revoked = client.revoke_token(token)
    if output == "json":
        print_json(revoked)
    else:
        say(revoked["id"] if output == "name" else f"Revoked token {revoked['id']} ({revoked['name']})")
    return ExitCode.OK


def days(text: str | None) -> int | None:
    """Return whole days of `90`, `90d` or `12w`, None for none. Raises BadUsage."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text[:9])
    found, rest = divmod(seconds(text), _SECONDS["d"])
    if rest:
        raise BadUsage(f"{text} is no whole number of days", next_step="write it as 30d or 12w")
    return found


def seconds(text: str) -> int:
    """Return the seconds of `30m`, `12h` or `7d`. Raises BadUsage."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadUsage(f"{text!r} is no length of time", next_step="write it as 30m, 12h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


def _print_secret(made: Json, output: str) -> None:
    if output == "json":
        print_json(made)
    else:
        talk(f"Token {made['id']} ({made['name']}, {made['role']}); it is shown this once, so keep it well:")
        say(made["secret"])


tokens.default(list_tokens)
tokens.command(list_tokens, name="list")
