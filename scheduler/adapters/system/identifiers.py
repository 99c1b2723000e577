"""New identifiers: time first, so that they sort, then chance, so that two processes never make the same one."""

import secrets
import threading
import time

from scheduler.core.model.identifiers import JobId

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
"""Base 32, in the order of their characters: ids sort like the numbers they stand for."""

_TIME_DIGITS = 9
"""Enough for milliseconds until the year 3084."""
_RANDOM_DIGITS = 7
_BITS_PER_DIGIT = 5
_RANDOM_RANGE = 1 << (_RANDOM_DIGITS * _BITS_PER_DIGIT)


class SystemIdentifiers:
    """Fulfils ports.clock.IdentifierSource: 16 characters, each id of this object greater than the one before."""

    def __init__(self) -> None:
        self._last = 0
        self._guard = threading.Lock()

    def new_job_id(self) -> JobId:
        """Return a job id."""
        return self._new()

    def new_token_id(self) -> str:
        """Return a token id."""
        return self._new()

    def _new(self) -> str:
        drawn = time.time_ns() // 1_000_000 * _RANDOM_RANGE + secrets.randbelow(_RANDOM_RANGE)
        with self._guard:
            if drawn <= self._last:  # the same millisecond, or a clock set back
                drawn = self._last + 1 + secrets.randbelow(1 << 20)
            self._last = drawn
        return _written(drawn)


def _written(number: int) -> str:
    digits = _TIME_DIGITS + _RANDOM_DIGITS
    return "".join(_DIGITS[number >> (_BITS_PER_DIGIT * place) & 31] for place in range(digits - 1, -1, -1))
