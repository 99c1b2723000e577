"""Series, accounts and history as answers, and as CSV."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from api.schemas.text import Answer
from api.schemas.usage.answers import AccountAnswer, FinishedJobAnswer, LineAnswer, SeriesAnswer, WorthAnswer
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName
from scheduler.ports.records.usage import FinishedJob
from scheduler.services.measuring.account_usage import Account, Worth, held_worth
from scheduler.services.measuring.chart_usage import Chart

DIGITS = 6
"""Of hours: millionths of an hour are milliseconds."""


def series_answer(chart: Chart, by: str) -> SeriesAnswer:
    """Return a chart."""
    lines = tuple(LineAnswer(**asdict(line)) for line in chart.lines)
    return SeriesAnswer(step_s=chart.step_s, by=by, times=chart.times, series=lines)


def account_answer(account: Account) -> AccountAnswer:
    """Return one account."""
    return AccountAnswer(
        tenant=account.tenant, user=account.user, chip=account.chip, day=account.day, **_worth(account.worth)
    )


def finished_answer(job: FinishedJob, catalogue: Mapping[ChipName, ChipType]) -> FinishedJobAnswer:
    """Return one finished job."""
    waited_until = job.placed_at or job.finished_at
    lives = {(span.began, span.ended or job.finished_at) for span in job.held}
    return FinishedJobAnswer(
        id=job.job,
        name=job.name,
        tenant=job.tenant,
        user=job.user,
        state=job.state,
        submitted_at=job.submitted_at,
        placed_at=job.placed_at,
        finished_at=job.finished_at,
        attempts=job.attempts,
        wait_s=max(0.0, (waited_until - job.submitted_at).total_seconds()),
        run_s=sum(max(0.0, (ended - began).total_seconds()) for began, ended in lives),
        **_worth(held_worth(job.held, catalogue, until=job.finished_at)),
    )


def csv_text(columns: Sequence[str], items: Iterable[Answer]) -> str:
    """Return answers as CSV (RFC 4180), one line each, nothing for null."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(item.model_dump(mode="json") for item in items)
    return text.getvalue()


def csv_columns(kind: type[WorthAnswer], *, without: Collection[str] = ()) -> list[str]:
    """Return the columns of one kind of answer: what it is of first, what it is worth last."""
    own = [name for name in kind.model_fields if name not in WorthAnswer.model_fields]
    return [name for name in (*own, *WorthAnswer.model_fields) if name not in without]


def cursor_of(job: FinishedJob) -> str:
    """Return the key of a finished job's place in the list."""
    return f"{job.finished_at.isoformat()}/{job.job}"


def place_of(key: str | None) -> tuple[datetime, str] | None:
    """Return the place that a key names. Raises ValueError where it names none."""
    if key is None:
        return None
    at, _, job = key.partition("/")
    return datetime.fromisoformat(at), job


def _worth(worth: Worth) -> dict[str, float]:
    return {
        "chip_hours": round(worth.chip_hours, DIGITS),
        "compute_pflops_hours": round(worth.pflops_hours, DIGITS),
        "is_estimate": worth.is_estimate,
        "unrated_chip_hours": round(worth.unrated_chip_hours, DIGITS),
    }
