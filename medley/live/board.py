"""What `medley top` shows, as lines that fit a window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from medley.answers import Json
from medley.screens.amounts import duration
from medley.screens.capacity import capacity_line, pools_table, tenants_use_table
from medley.screens.jobs import jobs_table
from medley.screens.safe_text import one_line
from medley.screens.tables import Table, fitted, plain_text, without

_LEAST_JOBS = 5
"""So many lines are left for jobs, however many pools there are."""
_FIXED_LINES = 9
"""The head, headings and empty lines."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of the server at one moment."""

    who: str
    address: str
    pools: Sequence[Json]
    uses: Sequence[Json]
    """Who holds how many devices."""
    running: Sequence[Json]
    """Jobs that hold devices, newest first; not more than fit."""
    queued: Sequence[Json]
    at: datetime
    """By this machine's clock."""


@dataclass(frozen=True, slots=True)
class Window:
    """How much room there is, in cells and lines."""

    columns: int
    lines: int
    has_colour: bool


def board(look: Look, window: Window, now: datetime, trouble: str | None) -> list[str]:
    """Return the lines of the screen, none longer and not more than fit. `trouble`: why it may be out of date."""
    most_rows = max(1, (window.lines - _FIXED_LINES - _LEAST_JOBS) // 3)
    head = (_head(look, now, trouble), *([one_line(trouble)] if trouble else []), capacity_line(look.pools))
    parts = [[line[: window.columns] for line in head]]
    parts += [_lines(_first_rows(table, most_rows), window) for table in _capacity(look) if table.rows]
    jobs = _jobs(look)
    left = window.lines - sum(len(part) + 1 for part in parts)
    parts.append(_lines(jobs, window) if jobs.rows else [jobs.when_empty])
    lines = [line for part in parts[:-1] for line in (*part, "")]
    return (lines + parts[-1][: max(0, left)])[: window.lines]


def plain_board(look: Look) -> str:
    """Return all of it once, for where there is no terminal."""
    tables = [*_capacity(look), _jobs(look)]
    return "\n\n".join(
        [capacity_line(look.pools), *(plain_text(table) if table.rows else table.when_empty for table in tables)]
    )


def _head(look: Look, now: datetime, trouble: str | None) -> str:
    state = f"as it was {duration((now - look.at).total_seconds())} ago" if trouble else "live"
    return f"{now:%H:%M:%S}Z   {state}   {one_line(look.who)} at {look.address}   q ends"


def _capacity(look: Look) -> tuple[Table, Table]:
    return pools_table(look.pools), tenants_use_table(look.uses)


def _jobs(look: Look) -> Table:
    table = jobs_table([*look.running, *look.queued], look.at)
    return replace(without(table, *table.only_wide), when_empty="no job runs or waits")


def _first_rows(table: Table, most: int) -> Table:
    return table if len(table.rows) <= most else replace(table, rows=table.rows[:most])


def _lines(table: Table, window: Window) -> list[str]:
    return fitted(table, window.columns, has_colour=window.has_colour).text.splitlines()
