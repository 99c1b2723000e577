"""`medley context`: logins to several servers, or as several people, and which of them is in use."""

import os
from dataclasses import replace
from typing import Annotated

from cyclopts import App, Parameter

from medley.answers import Json
from medley.commands.connection import OutputOption
from medley.commands.session import forget
from medley.exit_codes import ExitCode
from medley.login import Login, Logins, held, load_all, login_path, save_all, unknown_context
from medley.screens.output import print_listing, say, talk
from medley.screens.tables import Table

ContextArgument = Annotated[str, Parameter(help="The name of a context.")]
context = App(name="context", group_parameters="Options")


@context.default
@context.command(name="ls")
def list_contexts(*, output: OutputOption = "table") -> int:
    """List the logins that are kept, and which of them is in use."""
    logins = load_all(login_path(os.environ))
    rows = [_row(login, logins) for _, login in sorted(logins.by_context.items())]
    print_listing(output, rows, "name", lambda: _table(rows))
    if os.environ.get("MEDLEY_ADDRESS") and os.environ.get("MEDLEY_TOKEN"):
        talk("note: MEDLEY_ADDRESS and MEDLEY_TOKEN are set and win over all of them")
    return ExitCode.OK


@context.command(name="use")
def use_context(name: ContextArgument, /) -> int:
    """Use a login from now on, in all commands of this machine's user; MEDLEY_CONTEXT says it for one of them."""
    path = login_path(os.environ)
    with held(path):
        logins = load_all(path)
        if name not in logins.by_context:
            raise unknown_context(name, logins)
        save_all(path, replace(logins, current=name))
    say(f"{name} is in use: {logins.by_context[name].address}")
    if os.environ.get("MEDLEY_CONTEXT", name) != name:
        talk("note: MEDLEY_CONTEXT is set and wins over this")
    return ExitCode.OK


@context.command(name="rm")
def remove_context(name: ContextArgument, /) -> int:
    """Forget a login, as `medley logout` does."""
    path = login_path(os.environ)
    logins = load_all(path)
    if name not in logins.by_context:
        raise unknown_context(name, logins)
    forget(path, logins, name)
    say(f"Forgot {name}")
    if name == logins.current and len(logins.by_context) > 1:
        talk("next: medley context use NAME")
    return ExitCode.OK


def _row(login: Login, logins: Logins) -> Json:
    renewal = login.renewal
    return {
        "name": login.context,
        "is_in_use": login.context == (os.environ.get("MEDLEY_CONTEXT") or logins.current),
        "address": login.address,
        "kind": "token" if renewal is None else "login",
        "expires_at": None if renewal is None else renewal.expires_at,
    }


def _table(rows: list[Json]) -> Table:
    cells = [
        (row["name"], "in use" if row["is_in_use"] else "", row["address"], row["kind"], row["expires_at"] or "")
        for row in rows
    ]
    head = ("CONTEXT", "IN USE", "ADDRESS", "BY", "EXPIRES")
    return Table(head, cells, "no logins here; `medley login ADDRESS` makes one", spare=("EXPIRES", "BY"))
