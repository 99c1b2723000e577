"""Which failed calls are repeated, and after how long."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from medley.errors import ApiProblem, MedleyError, Unreachable

MOST_TRIES = 100
"""Far more than fit into any patience; the loop is bounded whatever the clock does."""
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_LONGEST_RETRY_AFTER_S = 3600.0
_TOO_MANY = 429
_PASSING = frozenset({502, 503, 504})
_DICE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed, and whether repeating it does what calling it once does."""

    error: MedleyError
    is_idempotent: bool
    tries: int
    """How often it was tried, from 1."""


def pause_before_repeating_s(failure: Failure) -> float | None:
    """Return how long to wait before the next try, None where the call must not be repeated.

    A request that never left, or that was refused with 429, may always be repeated. One that may have been acted on is
    repeated only if it is idempotent. The pause doubles from 0.1 s to 5 s, drawn from its upper half so that many
    clients do not come back at once, and is never shorter than what the server asked for.
    """
    error = failure.error
    if isinstance(error, Unreachable):
        may = failure.is_idempotent or not error.was_sent
        return _back_off_s(failure.tries) if may else None
    if isinstance(error, ApiProblem):
        may = error.status == _TOO_MANY or (failure.is_idempotent and error.status in _PASSING)
        return max(_back_off_s(failure.tries), error.retry_after_s or 0.0) if may else None
    return None


def _back_off_s(tries: int) -> float:
    longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(tries - 1, 10))
    return _DICE.uniform(longest_s / 2, longest_s)


def retry_after_s(header: str | None) -> float | None:
    """Read a Retry-After header: seconds or an HTTP date; None where there is none that can be read."""
    if not header:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return min(float(header.strip()[:9]), _LONGEST_RETRY_AFTER_S)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - datetime.now(UTC)).total_seconds()), _LONGEST_RETRY_AFTER_S)
