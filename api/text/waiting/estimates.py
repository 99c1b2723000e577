"""When a job will start, in a clause."""

from datetime import UTC, datetime
from typing import assert_never

from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis, UnknownStart
from scheduler.core.model.waiting.record import Record

_BASES = {
    StartBasis.FREE: "",
    StartBasis.PROMISED: ": room is kept for it",
    StartBasis.LIMITS: ", as far as time limits tell",
    StartBasis.LEARNT: ", if jobs run as long as others like them did",
    StartBasis.GUESSED: ", a guess: of some jobs before it nothing is known",
}


def estimate_text(estimate: Estimate | NoEstimate) -> str:
    """Return a clause that can follow "It waits; "."""
    if isinstance(estimate, NoEstimate):
        return f"nobody can say when it starts: {_why(estimate.why)}"
    if estimate.basis is StartBasis.FREE and estimate.latest <= estimate.made_at:
        return "it is expected to start at once"
    return f"it is expected to start {_between(estimate)}{_BASES[estimate.basis]}{_record(estimate.record)}"


def _record(record: Record | None) -> str:
    """Return how far such estimates may be trusted; nothing where that is not known."""
    if record is None:
        return ""
    return (
        f" (half of {record.scored:,} such estimates of the last week were within a factor of {record.half_within:.1f})"
    )


def _between(estimate: Estimate) -> str:
    earliest, latest = _minute(estimate.earliest, estimate.made_at), _minute(estimate.latest, estimate.made_at)
    if earliest == latest:
        return f"around {earliest} UTC"
    return f"between {earliest} and {latest} UTC"


def _minute(moment: datetime, today: datetime) -> str:
    """Return `14:10`, or with the date where it is not the same day."""
    here = moment.astimezone(UTC)
    return f"{here:%H:%M}" if here.date() == today.astimezone(UTC).date() else f"{here:%Y-%m-%d %H:%M}"


def _why(why: UnknownStart) -> str:
    match why:
        case UnknownStart.AFTER_OTHERS:
            return "it comes after other jobs"
        case UnknownStart.QUOTA:
            return "no end of what runs leaves its queue enough of its quota"
        case UnknownStart.NO_ROOM:
            return "no end of what runs makes it room, for servers run on or there are too few nodes"
    assert_never(why)
