"""Who may do what and how much: tenants, users, quotas."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from medley.answers import Json
from medley.catalogue import STANDARD_INPUT
from medley.commands.connection import OutputOption, connected
from medley.errors import BadUsage
from medley.exit_codes import ExitCode
from medley.screens.access import quotas_table, tenants_table, users_table
from medley.screens.amounts import now
from medley.screens.output import print_json, print_listing, say, talk

Role = Literal["viewer", "submitter", "tenant-admin", "operator", "auditor"]

tenants = App(name="tenants", group_parameters="Options")
users = App(name="users", group_parameters="Options")
quota = App(name="quota", group_parameters="Options")


def list_tenants(*, output: OutputOption = "table") -> int:
    """List tenants."""
    with connected() as client:
        found = list(client.tenants())
    print_listing(output, found, "name", lambda: tenants_table(found, now()))
    return ExitCode.OK


@tenants.command(name="create")
def create_tenant(name: str, /, *, output: OutputOption = "table") -> int:
    """Create a tenant."""
    with connected() as client:
        made = client.create_tenant(name)
    _print_made(made, output, f"Created tenant {made['name']}")
    talk(f"next: medley tokens create NAME --role submitter --tenant {made['name']}")
    return ExitCode.OK


def list_users(*, output: OutputOption = "table") -> int:
    """List users."""
    with connected() as client:
        found = list(client.users())
    print_listing(output, found, "name", lambda: users_table(found, now()))
    return ExitCode.OK


@users.command(name="create")
def create_user(
    name: str,
    /,
    *,
    tenant: Annotated[str | None, Parameter(help="The user's tenant.")] = None,
    role: Annotated[Role | None, Parameter(help="The most that a token of theirs may be; left out: any.")] = None,
    output: OutputOption = "table",
) -> int:
    """Create a user."""
    with connected() as client:
        made = client.create_user(name, tenant=tenant, role=role)
    _print_made(made, output, f"Created user {made['name']}")
    return ExitCode.OK


@users.command(name="set")
def set_user(
    name: str,
    /,
    *,
    tenant: Annotated[str | None, Parameter(help="Another tenant; `-` for none.")] = None,
    role: Annotated[Role | Literal["any"] | None, Parameter(help="The most that a token of theirs may be.")] = None,
    output: OutputOption = "table",
) -> int:
    """Change a user's tenant or role; tokens that are more than that open nothing from then on."""
    changes: dict[str, str | None] = {}
    if tenant is not None:
        changes["tenant"] = None if tenant in ("-", STANDARD_INPUT) else tenant
    if role is not None:
        changes["role"] = None if role == "any" else role
    if not changes:
        raise BadUsage("nothing was given to change", next_step=f"medley users set {name} --role submitter")
    with connected() as client:
        changed = client.change_user(name, **changes)
    where = f" of tenant {changed['tenant']}" if changed["tenant"] else ""
    _print_made(changed, output, f"{changed['name']} is {changed['role'] or 'a user'}{where}")
    return ExitCode.OK


@users.command(name="disable")
def disable_user(name: str, /, *, output: OutputOption = "table") -> int:
    """Disable a user: none of their tokens and logins opens anything any more."""
    with connected() as client:
        changed = client.change_user(name, is_disabled=True)
    _print_made(changed, output, f"Disabled user {changed['name']}")
    return ExitCode.OK


@users.command(name="enable")
def enable_user(name: str, /, *, output: OutputOption = "table") -> int:
    """Take it back: what is not expired or revoked opens again."""
    with connected() as client:
        changed = client.change_user(name, is_disabled=False)
    _print_made(changed, output, f"Enabled user {changed['name']}")
    return ExitCode.OK


@quota.default
@quota.command(name="show")
def show_quota(
    tenant: Annotated[str | None, Parameter(help="Left out: your own.")] = None, /, *, output: OutputOption = "table"
) -> int:
    """Show a tenant's limits."""
    with connected() as client:
        whose = tenant or client.whoami()["tenant"]
        if whose is None:
            raise BadUsage("your token belongs to no tenant: say whose quota", next_step="medley quota show TENANT")
        found = client.quotas(whose)
    print_listing(output, found, "chip", lambda: quotas_table(found, whose))
    return ExitCode.OK


@quota.command(name="set")
def set_quota(tenant: str, chip: str, devices: int, /, *, output: OutputOption = "table") -> int:
    """Limit how many devices of a chip type a tenant may hold; 0 forbids it."""
    with connected() as client:
        made = client.set_quota(tenant, chip, devices)
    if output == "json":
        print_json(made)
    else:
        say(chip if output == "name" else f"{tenant} may hold {devices} devices of {chip} at most")
    return ExitCode.OK


@quota.command(name="lift")
def lift_quota(tenant: str, chip: str, /) -> int:
    """Take a limit away: none means no limit."""
    with connected() as client:
        client.lift_quota(tenant, chip)
    say(f"{tenant} may hold any number of {chip}")
    return ExitCode.OK


def _print_made(made: Json, output: str, sentence: str) -> None:
    if output == "json":
        print_json(made)
    else:
        say(made["name"] if output == "name" else sentence)


for _app, _list in ((tenants, list_tenants), (users, list_users)):
    _app.default(_list)
    _app.command(_list, name="list")
