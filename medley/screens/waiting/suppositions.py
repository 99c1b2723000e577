"""What would follow from what is supposed: a sentence, and a table for each kind of change."""

import sys
from collections.abc import Sequence

from medley.answers import Json
from medley.screens.amounts import duration, figure
from medley.screens.output import entry_text, print_table, say
from medley.screens.safe_text import one_line
from medley.screens.tables import Table

_PERCENT = 100
_MOST_NODES = 3


def print_what_if(found: Json) -> None:
    """Print what would follow for everybody."""
    say(entry_text("", one_line(found["text"]), sys.stdout))
    waits = found["waits"] or {"shifts": ()}
    tables = (
        ("Would have to leave", found["leaving"], found["leaving_count"], _leaving_table),
        ("Would go on with fewer workers", found["shrinking"], found["shrinking_count"], _shrinking_table),
        ("Would start", found["starting"], found["starting_count"], _starting_table),
        ("Would wait otherwise", waits["shifts"], None, _shifts_table),
        ("Shares", found["shares"], None, _shares_table),
        ("Devices that take work", found["capacity"], None, _capacity_table),
    )
    for title, rows, count, table in tables:
        if rows:
            more = f" ({len(rows)} of {count:,})" if count is not None and count > len(rows) else ""
            say(f"\n{title}{more}:")
            print_table(table(rows))
    if found["job"] is not None:
        say()
        print_job_what_ifs(found["job"], found["others"])


def print_job_what_ifs(job: Json, others: Sequence[Json]) -> None:
    """Print what would become of a job, and of the same on other chip types."""
    say(entry_text(f"{'/'.join(job['chips']) or 'the job'}: ", one_line(job["text"]), sys.stdout))
    if others:
        say("\nThe same on another chip type:")
        rows = [(" ".join(one["chips"]), one["outcome"], _nodes_of(one), _start(one["estimate"])) for one in others]
        print_table(Table(("CHIP", "OUTCOME", "NODES", "STARTS"), rows, wrapped=("NODES",)))


def _nodes_of(job: Json) -> str:
    return _nodes([node for nodes in job["nodes"] for node in nodes])


def _nodes(nodes: Sequence[str]) -> str:
    more = f" and {len(nodes) - _MOST_NODES} more" if len(nodes) > _MOST_NODES else ""
    return one_line(", ".join(nodes[:_MOST_NODES])) + more


def _start(estimate: Json | None) -> str:
    """Return when something is expected to start, as UTC; `?` where nobody can say."""
    if estimate is None or estimate["latest"] is None:
        return "?"
    earliest, latest = (str(estimate[name])[:16].replace("T", " ") for name in ("earliest", "latest"))
    if latest <= str(estimate["made_at"])[:16].replace("T", " "):
        return "now"
    if earliest == latest:
        return latest
    date, _, time = latest.partition(" ")
    return f"{earliest} to {time if earliest.startswith(date) else latest}"


def _leaving_table(rows: Sequence[Json]) -> Table:
    return Table(
        ("JOB", "NAME", "TENANT", "DEVICES", "WHY", "FROM", "GOES TO", "STARTS"),
        [
            (
                one["job"],
                one["name"],
                one["tenant"],
                figure(one["devices"]),
                one["cause"] if one["beneficiary"] is None else f"{one['cause']}, for {one['beneficiary']}",
                _nodes(one["nodes"]),
                _goes_to(one),
                "now" if one["goes_to"] else _start(one["estimate"]),
            )
            for one in rows
        ],
        spare=("TENANT", "FROM"),
    )


def _goes_to(leaving: Json) -> str:
    if leaving["after_others"]:
        return "where others make way"
    fewer = leaving["goes_to"] and leaving["goes_on_with"] != leaving["workers"]
    return _nodes(leaving["goes_to"]) + (f", with {leaving['goes_on_with']} of {leaving['workers']}" if fewer else "")


def _shrinking_table(rows: Sequence[Json]) -> Table:
    return Table(
        ("JOB", "NAME", "TENANT", "WORKERS", "GIVES", "KEEPS", "ON", "WHY"),
        [
            (
                one["job"],
                one["name"],
                one["tenant"],
                f"{one['workers_before']} to {one['workers_after']}",
                figure(one["gives"]),
                figure(one["devices"]),
                _nodes(one["nodes"]),
                f"{one['cause']}, for {one['beneficiary']}",
            )
            for one in rows
        ],
        spare=("TENANT", "ON"),
    )


def _starting_table(rows: Sequence[Json]) -> Table:
    return Table(
        ("JOB", "NAME", "TENANT", "ON", "ELSE STARTS"),
        [
            (
                one["job"],
                one["name"],
                one["tenant"],
                "where others make way" if one["after_others"] else _nodes(one["nodes"]),
                _start(one["estimate_before"]),
            )
            for one in rows
        ],
        spare=("TENANT",),
    )


def _shifts_table(rows: Sequence[Json]) -> Table:
    return Table(
        ("JOB", "NAME", "TENANT", "BY", "STARTS", "WOULD START"),
        [
            (one["job"], one["name"], one["tenant"], _by(one), _start(one["before"]), _start(one["after"]))
            for one in rows
        ],
        spare=("TENANT",),
    )


def _by(shift: Json) -> str:
    if shift["later_s"] is None:
        return "never" if shift["after"] is None or shift["after"]["latest"] is None else "at all"
    return f"{duration(abs(shift['later_s']))} {'later' if shift['later_s'] > 0 else 'sooner'}"


def _shares_table(rows: Sequence[Json]) -> Table:
    return Table(
        ("QUEUE", "DUE", "WOULD BE DUE", "HOLDS", "WOULD HOLD"),
        [
            (
                one["queue"],
                *(f"{one[name] * _PERCENT:.1f} %" for name in ("due_before", "due_after")),
                *(f"{one[name] * _PERCENT:.1f} %" for name in ("held_before", "held_after")),
            )
            for one in rows
        ],
    )


def _capacity_table(rows: Sequence[Json]) -> Table:
    return Table(("CHIP", "NOW", "THEN"), [(one["chip"], str(one["before"]), str(one["after"])) for one in rows])
