"""Which of the attempts that hold something might have another size, or be elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.model.identifiers import AttemptId


class Sizes:
    """Attempts of jobs that may be moved, and of elastic jobs; those of others are in none of these."""

    def __init__(self) -> None:
        self.unsized: dict[AttemptId, None] = {}
        """Those that have more or fewer workers than are wanted of them."""
        self.generous: dict[AttemptId, None] = {}
        """Those that have more workers than the least that will do."""
        self.lending: dict[AttemptId, None] = {}
        """Those of them that got some of these by growing."""
        self.leaving: dict[AttemptId, None] = {}
        """Those with workers that are too many and not yet proven gone."""
        self.movable: dict[AttemptId, None] = {}
        """Those that may be moved."""

    def note(self, live: LiveAttempt) -> None:
        """Take in an attempt as it is now."""
        if live.job.spec.movable:
            self.movable[live.attempt] = None
        elastic, have = live.job.spec.elastic, len(live.allocations)
        if elastic is None:
            self._forget_sizes(live.attempt)
            return
        _note(self.unsized, live.attempt, is_among=have != live.job.spec.workers)
        _note(self.generous, live.attempt, is_among=have > elastic.least)
        _note(self.lending, live.attempt, is_among=bool(live.lent))
        _note(self.leaving, live.attempt, is_among=bool(live.resizing.surplus))

    def forget(self, attempt: AttemptId) -> None:
        """Let an attempt go; without effect where it is not known."""
        self.movable.pop(attempt, None)
        self._forget_sizes(attempt)

    def _forget_sizes(self, attempt: AttemptId) -> None:
        if attempt in self.generous or attempt in self.unsized or attempt in self.leaving:
            for those in (self.unsized, self.generous, self.lending, self.leaving):
                those.pop(attempt, None)


def _note(those: dict[AttemptId, None], attempt: AttemptId, *, is_among: bool) -> None:
    if is_among:
        those[attempt] = None
    else:
        those.pop(attempt, None)
