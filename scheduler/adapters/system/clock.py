"""The machine's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Fulfils ports.clock.Clock."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds that never step back."""
        return time.monotonic()
