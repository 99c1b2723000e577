"""The audit trail: who changed what."""

from dataclasses import asdict, dataclass
from itertools import islice
from typing import Annotated

from cyclopts import App, Parameter

from medley.commands.connection import OutputOption, connected
from medley.errors import BadUsage
from medley.exit_codes import ExitCode
from medley.following.spans import beginning
from medley.screens.access import audit_table
from medley.screens.amounts import now
from medley.screens.output import print_json, print_listing, say

audit = App(name="audit", group_parameters="Options")

_MOST_PER_PAGE = 200


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """Which entries."""

    actor: Annotated[str | None, Parameter(help="Who did it.")] = None
    operation: Annotated[str | None, Parameter(help="An operation of the API, such as set_quota.")] = None
    object: Annotated[str | None, Parameter(help="What it was done to: `token`, or `token/ID`.")] = None
    tenant: Annotated[str | None, Parameter(help="Whose things; for roles that see more than one.")] = None
    since: Annotated[
        str | None, Parameter(help="From this time on, such as 2026-01-31, or 90min, 12h, 7d or 4w ago.")
    ] = None
    until: Annotated[str | None, Parameter(help="Before this time.")] = None


def list_entries(
    filters: AuditFilters | None = None,
    *,
    limit: Annotated[int, Parameter(help="At most so many.")] = 50,
    output: OutputOption = "table",
) -> int:
    """List who changed what, newest first."""
    if limit < 1:
        raise BadUsage("--limit takes 1 or more", next_step="choose another --limit")
    chosen, at = filters or AuditFilters(), now()
    asked = asdict(chosen) | {"since": beginning(chosen.since, at), "until": beginning(chosen.until, at)}
    with connected() as client:
        found = list(islice(client.audit(limit=min(limit, _MOST_PER_PAGE), **asked), limit))
    print_listing(output, found, lambda entry: str(entry["number"]), lambda: audit_table(found, at))
    return ExitCode.OK


@audit.command(name="check")
def check_trail(*, output: OutputOption = "table") -> int:
    """Say whether every entry is as it was written and none is missing; exit code 1 where not."""
    with connected() as client:
        found = client.check_audit()
    if output == "json":
        print_json(found)
    elif found["is_whole"]:
        say(f"{found['entries']} entries, all as they were written; the newest is {found['last']}, sealed")
        say(found["last_sha256"])
    else:
        say(f"entry {found['first_broken']} was changed, or does not follow the one before it")
    return ExitCode.OK if found["is_whole"] else ExitCode.FAILED


audit.default(list_entries)
audit.command(list_entries, name="list")
