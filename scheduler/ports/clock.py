"""Time and new names: the two things a pure core may not make up itself."""

from datetime import datetime
from typing import Protocol

from scheduler.core.model.identifiers import JobId


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never step back, for measuring and timeouts."""
        ...


class IdentifierSource(Protocol):
    """New identifiers, never given twice."""

    def new_job_id(self) -> JobId:
        """Return a job id: 16 characters of a-z and 0-9 that sort by time of creation."""
        ...

    def new_token_id(self) -> str:
        """Return an id for a token, in the same form."""
        ...
