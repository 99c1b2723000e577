"""Who is speaking to which server: login, logout, whoami, version."""

import getpass
import os
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from medley.answers import Json
from medley.catalogue import STANDARD_INPUT
from medley.client import Client
from medley.commands.connection import OutputOption, connected
from medley.errors import ApiProblem, BadUsage, MedleyError
from medley.exit_codes import ExitCode
from medley.login import (
    BrokenLogins,
    Login,
    Logins,
    clean_address,
    clean_context,
    clean_token,
    find_login,
    held,
    is_loopback,
    load_all,
    login_path,
    save,
    save_all,
    unknown_context,
)
from medley.screens.output import print_json, say, talk

_LONGEST_TOKEN = 1024
_NOT_FOUND = 404


def login(
    address: Annotated[str, Parameter(help="Where the server is, such as http://127.0.0.1:8080.")],
    /,
    *,
    token: Annotated[
        str | None,
        Parameter(help="`-` reads it from stdin; left out, it is asked for. Others can see a program's arguments."),
    ] = None,
    oidc: Annotated[
        bool | None, Parameter(negative="--no-oidc", show_default=False, help="In a browser, whatever is usual here.")
    ] = None,
    context: Annotated[
        str | None, Parameter(help="Keep it under this name, beside other logins, and use it from now on.")
    ] = None,
) -> int:
    """Log in at a server and remember it: in a browser where the server offers that, else with a token."""
    name = context or os.environ.get("MEDLEY_CONTEXT")
    where, name = clean_address(address), clean_context(name) if name else None
    if where.startswith("http:") and not is_loopback(where):
        talk("warning: over http others on the network can read the token; use https where the server offers it")
    found = _found(where, token, oidc=oidc)
    with Client(found.address, found.token) as client:
        who = client.whoami()
    path = login_path(os.environ)
    with held(path):
        save(path, replace(found, context=name))
        if context:
            save_all(path, replace(load_all(path), current=context))
    say(f"Logged in to {found.address} as {_who(who)}")
    if os.environ.get("MEDLEY_ADDRESS") or os.environ.get("MEDLEY_TOKEN"):
        talk("note: MEDLEY_ADDRESS or MEDLEY_TOKEN is set and wins over this login")
    submits = "submit_job" in who.get("may", ("submit_job",))
    talk(f"next: {'medley submit FILE' if submits else 'medley top'}, or medley ls")
    return ExitCode.OK


def _found(where: str, token: str | None, *, oidc: bool | None) -> Login:
    if oidc and token is not None:
        raise BadUsage("--oidc and --token do not go together")
    if token is None and oidc is not False:
        terms = _terms(where)
        if terms is not None or oidc:
            from medley.signing_in.device_flow import log_in  # noqa: PLC0415 - not needed for a token

            return log_in(where, terms)
    return Login(where, clean_token(_token(token)))


def _terms(where: str) -> Json | None:
    with Client(where, None) as client:
        try:
            return client.login_terms()
        except ApiProblem as problem:
            if problem.status == _NOT_FOUND:  # an older server
                return None
            raise


def _token(given: str | None) -> str:
    if given == STANDARD_INPUT and sys.stdin is not None:
        return sys.stdin.readline(_LONGEST_TOKEN)
    if given not in (None, STANDARD_INPUT):
        return str(given)
    if sys.stdin is None or not sys.stdin.isatty():
        raise BadUsage(
            "no token was given, and there is no terminal to ask on", next_step="give it with --token - < FILE"
        )
    return getpass.getpass("Token (it is not shown): ")


def logout() -> int:
    """Forget address and token. A login ends; a token stays valid, and `medley tokens revoke` ends that."""
    path = login_path(os.environ)
    if not path.exists():
        talk("nobody was logged in")
        return ExitCode.OK
    try:
        logins = load_all(path)
    except BrokenLogins:
        logins = Logins({})
    context = os.environ.get("MEDLEY_CONTEXT") or logins.current
    if logins.by_context and context not in logins.by_context:
        raise unknown_context(context, logins)
    forget(path, logins, context)
    say(f"Logged out of context {context}" if len(logins.by_context) > 1 else f"Logged out: {path} is gone")
    return ExitCode.OK


def forget(path: Path, logins: Logins, context: str) -> None:
    """End one of the logins and keep it no longer; the file goes with the last one."""
    _end(logins.by_context.get(context))
    with held(path):
        others = {} if len(logins.by_context) <= 1 else dict(load_all(path).by_context)
        others.pop(context, None)
        if others:
            save_all(path, replace(load_all(path), by_context=others))
        else:
            path.unlink(missing_ok=True)


def _end(stored: Login | None) -> None:
    """End a login at its server; it ends by itself within hours where that does not answer."""
    try:
        if stored is not None and stored.renewal is not None:
            with Client(stored.address, stored.token, patience_s=0) as client:
                client.logout()
    except MedleyError as error:
        talk(f"(the login was not ended at the server: {error.what})")


def whoami(*, output: OutputOption = "table") -> int:
    """Say whose token is in use, what it may do, and at which server."""
    with connected() as client:
        who = client.whoami()
        if output == "json":
            print_json(who)
        elif output == "name":
            say(who["name"])
        else:
            say(f"{_who(who)} at {client.address}")
    return ExitCode.OK


def _who(who: Json) -> str:
    tenant = f"of tenant {who['tenant']}" if who["tenant"] else "of the whole cluster"
    narrowed = f", narrowed to {', '.join(who['scope'])}" if who.get("scope") else ""
    return f"{who['name']} ({who['role']} {tenant}{narrowed})"


def version(*, output: OutputOption = "table") -> int:
    """Print the versions of this command and of the server, where one can be reached."""
    client_version = metadata.version("medley")
    server_version = _server_version()
    if output == "json":
        print_json({"client": client_version, "server": server_version})
    else:
        say(f"medley {client_version}" + (f", server {server_version}" if server_version else ""))
    return ExitCode.OK


def _server_version() -> str | None:
    try:
        with Client(find_login(os.environ).address, None, patience_s=0) as client:
            return str(client.version()["version"])
    except MedleyError as error:
        talk(f"(no server: {error.what})")
        return None
