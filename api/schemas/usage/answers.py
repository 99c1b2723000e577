"""Use over time as it is told."""

from datetime import date
from typing import Any

from api.schemas.text import Answer, Moment, with_examples
from scheduler.core.model.group import State

LINE_EXAMPLE: dict[str, Any] = {
    "name": "mixed/h100-sxm",
    "capacity": [16.0, None],
    "usable": [14.0, None],
    "allocated": [12.5, None],
    "busy": [9.25, None],
    "idle": [2.25, None],
    "unreported": [1.0, None],
}
WORTH_EXAMPLE: dict[str, Any] = {
    "chip_hours": 96.0,
    "compute_pflops_hours": 94.944,
    "is_estimate": True,
    "unrated_chip_hours": 0.0,
}
ACCOUNT_EXAMPLE: dict[str, Any] = {
    "tenant": "research",
    "user": None,
    "chip": "h100-sxm",
    "day": None,
    **WORTH_EXAMPLE,
}
FINISHED_EXAMPLE: dict[str, Any] = {
    "id": "01jd3v9k2m0a7b4c",
    "name": "first",
    "tenant": "research",
    "user": "alice",
    "state": "succeeded",
    "submitted_at": "2026-11-21T12:00:00.000000Z",
    "placed_at": "2026-11-21T12:00:00.012000Z",
    "finished_at": "2026-11-21T14:00:00.000000Z",
    "attempts": 1,
    "wait_s": 0.012,
    "run_s": 7199.988,
    **WORTH_EXAMPLE,
}


class LineAnswer(Answer):
    """Averages of devices by period; null where nobody looked."""

    model_config = with_examples(LINE_EXAMPLE)

    name: str
    """Of the pool, cluster, chip type or tenant; `(others)` are all beyond the first hundred together."""
    capacity: tuple[float | None, ...]
    """All devices there are; null where lines are of tenants."""
    usable: tuple[float | None, ...]
    """Of these, on nodes that take work, less what others use there."""
    allocated: tuple[float | None, ...]
    """Held; `busy`, `idle` and `unreported` are its parts."""
    busy: tuple[float | None, ...]
    """Held by attempts that reported progress within 120 s."""
    idle: tuple[float | None, ...]
    """Held by attempts that have not begun, reported longer ago, or are being stopped."""
    unreported: tuple[float | None, ...]
    """Held by attempts that run and have never reported anything."""


class SeriesAnswer(Answer):
    """Lines over the same periods."""

    model_config = with_examples(
        {
            "step_s": 900,
            "by": "pool",
            "times": ["2026-11-21T12:00:00.000000Z", "2026-11-21T12:15:00.000000Z"],
            "series": [LINE_EXAMPLE],
        }
    )

    step_s: int
    by: str
    times: tuple[Moment, ...]
    """The beginning of each period."""
    series: tuple[LineAnswer, ...]
    """Those that held most first."""


class WorthAnswer(Answer):
    """How long devices were held, and what that is worth."""

    model_config = with_examples(WORTH_EXAMPLE)

    chip_hours: float
    """One device for one hour; shares count as their part."""
    compute_pflops_hours: float
    """Chip-hours times the type's rate in dense BF16 PFLOP/s: comparable between chip types."""
    is_estimate: bool
    """Whether a rate in it is a data sheet's and not a measured one."""
    unrated_chip_hours: float
    """Of chip types whose rate nobody knows: not in the compute."""


class AccountAnswer(WorthAnswer):
    """What was held within the span; null: accounts were not told apart by it."""

    model_config = with_examples(ACCOUNT_EXAMPLE)

    tenant: str | None
    user: str | None
    chip: str | None
    day: date | None


class UsageAnswer(Answer):
    """Accounts, from placement until the workers were proven gone."""

    model_config = with_examples(
        {
            "since": "2026-11-20T12:00:00.000000Z",
            "until": "2026-11-21T12:00:00.000000Z",
            "by": ["tenant", "chip"],
            "items": [ACCOUNT_EXAMPLE],
        }
    )

    since: Moment
    until: Moment
    by: tuple[str, ...]
    items: tuple[AccountAnswer, ...]


class FinishedJobAnswer(WorthAnswer):
    """A job that came to its end."""

    model_config = with_examples(FINISHED_EXAMPLE)

    id: str
    name: str
    tenant: str
    user: str
    state: State
    submitted_at: Moment
    placed_at: Moment | None
    """When its first attempt was; null where it never was."""
    finished_at: Moment
    attempts: int
    wait_s: float
    """From its submission until it was first placed, or until its end where it never was."""
    run_s: float
    """In which it held something, all attempts together."""


class HistoryPage(Answer):
    """Finished jobs, the latest end first."""

    model_config = with_examples({"items": [FINISHED_EXAMPLE], "next": None})

    items: tuple[FinishedJobAnswer, ...]
    next: str | None
