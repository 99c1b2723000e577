"""When rounds begin: at whole multiples of their length, whoever counts and whenever that one began."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def edge_of(at: datetime, round_s: float) -> datetime:
    """Return when the round began in which a moment is."""
    length = timedelta(seconds=round_s)
    return at - (at - _EPOCH) % length
