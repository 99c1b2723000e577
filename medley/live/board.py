"""What `medley top` shows, as lines that fit a window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from medley.answers import Json
from medley.live.view import KEYS, View, devices_of
from medley.screens.amounts import counted, duration
from medley.screens.capacity import capacity_line, pools_table, tenants_use_table
from medley.screens.jobs import jobs_table
from medley.screens.safe_text import one_line
from medley.screens.tables import Table, fitted, plain_text, without

_LEAST_JOBS = 5
"""So many lines are left for jobs, however many pools there are."""
_FIXED_LINES = 11
"""The head, the foot, headings and empty lines."""
_FOOT_LINES = 2
_DEVICES = "DEVICES"
_NO_JOB = "no job runs or waits"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of the server at one moment."""

    who: str
    address: str
    pools: Sequence[Json]
    uses: Sequence[Json]
    """Who holds how many devices."""
    running: Sequence[Json]
    """Jobs that hold devices, newest first, some of them in short."""
    queued: Sequence[Json]
    at: datetime
    """By this machine's clock."""
    has_more: bool = False
    """Whether there are older jobs than these."""


@dataclass(frozen=True, slots=True)
class Window:
    """How much room there is, in cells and lines."""

    columns: int
    lines: int
    has_colour: bool
    has_keys: bool = True


@dataclass(frozen=True, slots=True)
class Board:
    """What is shown."""

    lines: list[str]
    pages: int
    """Of jobs."""


def board(look: Look, window: Window, now: datetime, trouble: str | None, view: View) -> Board:
    """Return the lines of the screen, none longer and not more than fit. `trouble`: why it may be out of date."""
    most_rows = max(1, (window.lines - _FIXED_LINES - _LEAST_JOBS) // 3)
    head = (_head(look, now, trouble), *([one_line(trouble)] if trouble else []), capacity_line(look.pools))
    parts = [[line[: window.columns] for line in head]]
    parts += [_lines(_first_rows(table, most_rows), window) for table in _capacity(look) if table.rows]
    above = [line for part in parts for line in (*part, "")]
    room = max(1, window.lines - len(above) - _FOOT_LINES)
    jobs = view.ordered([*look.running, *look.queued])
    size = _page_size(jobs, look.at, window, room)
    pages = max(1, -(-len(jobs) // size))
    page = min(view.page, pages - 1)
    shown = jobs[page * size : (page + 1) * size]
    below = _lines(_live_jobs(shown, look.at), window)[:room] if shown else [_NO_JOB]
    place = _place(page * size, len(shown), len(jobs), has_more=look.has_more)
    foot = f"{place}{view.words()}  {KEYS if window.has_keys else 'Ctrl-C ends'}"
    empty = [""] * max(1, window.lines - len(above) - len(below) - 1)
    return Board([*above, *below, *empty, foot[: window.columns]][-window.lines :], pages)


def _page_size(jobs: Sequence[Json], at: datetime, window: Window, room: int) -> int:
    """Return how many jobs have room under their heading; in a narrow window each takes a few lines."""
    most = max(1, room - 1)
    first = jobs[:most]
    lines = len(_lines(_live_jobs(first, at), window)) if first else 0
    return most if lines <= room else max(1, room // -(-lines // len(first)))


def _place(before: int, shown: int, jobs: int, *, has_more: bool) -> str:
    newest = "the newest " if has_more else ""
    return f"{before + 1}-{before + shown} of {newest}{counted(jobs, 'job', 'jobs')}" if jobs else "0 jobs"


def plain_board(look: Look) -> str:
    """Return all of it once, for where there is no terminal."""
    tables = [*_capacity(look), _jobs([*look.running, *look.queued], look.at)]
    return "\n\n".join(
        [capacity_line(look.pools), *(plain_text(table) if table.rows else table.when_empty for table in tables)]
    )


def _head(look: Look, now: datetime, trouble: str | None) -> str:
    state = f"as it was {duration((now - look.at).total_seconds())} ago" if trouble else "live"
    return f"{now:%H:%M:%S}Z   {state}   {one_line(look.who)} at {look.address}"


def _capacity(look: Look) -> tuple[Table, Table]:
    return pools_table(look.pools), tenants_use_table(look.uses)


def _jobs(jobs: Sequence[Json], at: datetime) -> Table:
    table = jobs_table(jobs, at)
    return replace(without(table, *table.only_wide), when_empty=_NO_JOB)


def _live_jobs(jobs: Sequence[Json], at: datetime) -> Table:
    """Return the jobs with how many devices each asks for, which they can be sorted by."""
    table = _jobs(jobs, at)
    place = table.columns.index("CHIPS")
    columns = (*table.columns[:place], _DEVICES, *table.columns[place:])
    rows = [(*row[:place], str(devices_of(job)), *row[place:]) for job, row in zip(jobs, table.rows, strict=True)]
    return replace(
        table, columns=columns, rows=rows, numbers=(*table.numbers, _DEVICES), spare=(_DEVICES, *table.spare)
    )


def _first_rows(table: Table, most: int) -> Table:
    return table if len(table.rows) <= most else replace(table, rows=table.rows[:most])


def _lines(table: Table, window: Window) -> list[str]:
    return fitted(table, window.columns, has_colour=window.has_colour).text.splitlines()
