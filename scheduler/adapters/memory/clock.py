"""Time that passes when it is told to."""

from datetime import datetime, timedelta


class ManualClock:
    """Fulfils ports.clock.Clock."""

    def __init__(self, start: datetime) -> None:
        """`start` is aware, in UTC."""
        self._start = start
        self._passed_s = 0.0

    def now(self) -> datetime:
        """Return the time that it was set to."""
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic_s(self) -> float:
        """Return the seconds that have passed."""
        return self._passed_s

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises ValueError for a negative time."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._passed_s += seconds
