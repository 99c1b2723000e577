"""Who may do what and how much: tenants, users, tokens, quotas."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import App, Parameter

from medley.commands.connection import OutputOption, connected
from medley.errors import BadUsage
from medley.exit_codes import ExitCode
from medley.screens.access import quotas_table, tenants_table, tokens_table, users_table
from medley.screens.amounts import now
from medley.screens.output import print_json, print_listing, say, talk

Role = Literal["viewer", "submitter", "tenant-admin", "operator", "auditor"]

tenants = App(name="tenants", group_parameters="Options")
users = App(name="users", group_parameters="Options")
tokens = App(name="tokens", group_parameters="Options")
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
    output: OutputOption = "table",
) -> int:
    """Create a user."""
    with connected() as client:
        made = client.create_user(name, tenant=tenant)
    _print_made(made, output, f"Created user {made['name']}")
    return ExitCode.OK


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
    expires_in_days: Annotated[int | None, Parameter(help="How long it is good; else until revoked.")] = None


@tokens.command(name="create")
def create_token(name: str, /, options: TokenOptions, *, output: OutputOption = "table") -> int:
    """Create a token and print it, this once: only its hash is kept."""
    wanted = {
        "name": name,
        "role": options.role,
        "tenant": options.tenant,
        "user": options.user,
        "expires_in_days": options.expires_in_days,
    }
    with connected() as client:
        made = client.create_token(wanted)
    if output == "json":
        print_json(made)
    else:
        talk(f"Token {made['id']} ({made['name']}, {made['role']}); it is shown this once, so keep it well:")
        say(made["secret"])
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


def _print_made(made: dict[str, str], output: str, sentence: str) -> None:
    if output == "json":
        print_json(made)
    else:
        say(made["name"] if output == "name" else sentence)


for _app, _list in ((tenants, list_tenants), (users, list_users), (tokens, list_tokens)):
    _app.default(_list)
    _app.command(_list, name="list")
