"""What was used: accounts of chip-hours, and the jobs that are over."""

from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal

from cyclopts import Parameter

from medley.commands.connection import connected, drawn
from medley.errors import BadUsage
from medley.exit_codes import ExitCode
from medley.following.spans import beginning
from medley.screens.amounts import now
from medley.screens.capacity import account_line, accounts_table
from medley.screens.jobs import history_table
from medley.screens.output import print_csv, print_json, print_listing, print_table, say

Part = Literal["tenant", "user", "chip", "day"]
_DEFAULT_BY: tuple[Part, ...] = ("tenant", "chip")
_WORTH = ("chip_hours", "compute_pflops_hours", "is_estimate", "unrated_chip_hours")
_LARGEST_PAGE = 200

Begin = Annotated[
    str | None, Parameter(name="--from", help="From this time on, such as 2026-11-01, or 90min, 12h, 7d or 4w ago.")
]
End = Annotated[str | None, Parameter(name="--to", help="Before this time (default: now).")]
Tenant = Annotated[str | None, Parameter(help="Only this tenant's (cluster-wide roles).")]


def usage(
    *,
    begin: Begin = "30d",
    end: End = None,
    by: Annotated[
        tuple[Part, ...],
        Parameter(negative="", show_default=False, help="Told apart by this; may be repeated (tenant and chip)."),
    ] = (),
    tenant: Tenant = None,
    output: Annotated[
        Literal["table", "wide", "json", "yaml", "csv"],
        Parameter(name=["--output", "-o"], converter=drawn, help="As a table, JSON, YAML or CSV."),
    ] = "table",
) -> int:
    """Account for who held devices for how long, in chip-hours and in normalised compute."""
    at = now()
    parts = by or _DEFAULT_BY
    query = {"from": beginning(begin, at), "to": beginning(end, at), "by": list(parts), "tenant": tenant}
    with connected() as client:
        found = client.usage(**query)
    if output == "json":
        print_json(found)
    elif output == "csv":
        print_csv((*(part for part in ("tenant", "user", "chip", "day") if part in parts), *_WORTH), found["items"])
    else:
        print_table(accounts_table(found))
        if found["items"]:
            say(f"\n{account_line(found)}")
    return ExitCode.OK


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilters:
    """Which finished jobs to list."""

    begin: Begin = None
    end: End = None
    tenant: Tenant = None
    user: Annotated[str | None, Parameter(help="Only those that this user or token submitted.")] = None
    state: Annotated[
        tuple[Literal["succeeded", "failed", "cancelled"], ...],
        Parameter(negative="", show_default=False, help="Only those that ended so; may be repeated."),
    ] = ()
    limit: Annotated[int, Parameter(help="At most so many.")] = 50


_ALL = HistoryFilters()


def history(
    filters: HistoryFilters = _ALL,
    *,
    output: Annotated[
        Literal["table", "wide", "json", "yaml", "csv", "name"],
        Parameter(name=["--output", "-o"], converter=drawn, help="As a table, JSON, YAML or CSV, or as ids."),
    ] = "table",
) -> int:
    """List the jobs that are over, the latest first: how long they waited and ran, and what they used."""
    if filters.limit < 1:
        raise BadUsage("--limit takes 1 or more", next_step="choose another --limit")
    at = now()
    with connected() as client:
        jobs = client.history(
            **{"from": beginning(filters.begin, at)},
            to=beginning(filters.end, at),
            tenant=filters.tenant,
            user=filters.user,
            state=list(filters.state) or None,
            limit=min(filters.limit, _LARGEST_PAGE),
        )
        found = list(islice(jobs, filters.limit))
    if output == "csv":
        print_csv(tuple(found[0]) if found else ("id",), found)
    else:
        print_listing(output, found, "id", lambda: history_table(found, at))
    return ExitCode.OK
