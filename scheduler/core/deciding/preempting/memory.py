"""What is remembered of preemption between passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from scheduler.core.deciding.parts.waiters import Class

TRY_AGAIN_S = 10.0
"""Nobody is searched victims for twice within so long, if there were none the first time."""


class Attempts:
    """Classes for which nobody could be stopped, with when that is worth another look."""

    def __init__(self) -> None:
        self._again: dict[Class, tuple[datetime, int]] = {}

    def __len__(self) -> int:
        return len(self._again)

    def put(self, of: Class, priority: int, at: datetime) -> None:
        """Look again at a time, or sooner for a member with a higher priority."""
        self._again[of] = (at, priority)

    def is_paused(self, of: Class, priority: int, now: datetime) -> bool:
        """Say whether it is not worth a look yet for members with a priority."""
        known = self._again.get(of)
        return known is not None and priority <= known[1] and now < known[0]

    def forget(self, of: Class) -> None:
        """Look at once."""
        self._again.pop(of, None)

    def due(self, now: datetime) -> list[Class]:
        """Return those that are worth another look, and forget them and those that wait no longer."""
        over = [of for of, (at, _) in self._again.items() if at <= now or not of.members]
        for of in over:
            del self._again[of]
        return [of for of in over if of.members]

    def next_due(self) -> datetime | None:
        """Return when the next is worth another look."""
        return min((at for at, _ in self._again.values()), default=None)
