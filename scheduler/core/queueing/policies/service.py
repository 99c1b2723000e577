"""What gangs had already: how long they held something in all their attempts, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.core.model.identifiers import ChipName, GroupId
    from scheduler.core.queueing.decay import HeldLately


@dataclass(frozen=True, slots=True)
class Past:
    """What a policy may sort a waiting gang by."""

    age_s: float
    """Since its job was submitted."""
    attained_s: float = 0.0
    """Device-seconds that it held."""
    remaining_s: float | None = None
    """For how long it will run still, None where nothing is known of that."""
    devices: float = 0.0
    """What it asks for."""
    has_turn: bool = False
    """Whether it is its turn in the round that goes on."""


@dataclass(frozen=True, slots=True)
class PastUse:
    """What was held before a state was made, as far as it is accounted."""

    at: datetime
    """Up to when."""
    attained: tuple[tuple[GroupId, float, float], ...] = ()
    """Seconds and device-seconds of attempts that are over, of groups that are not."""
    lately: tuple[HeldLately, ...] = ()


NOTHING_PAST = PastUse(datetime.min.replace(tzinfo=UTC))
NOTHING_YET = (0.0, 0.0)


class Service:
    """Seconds and device-seconds that groups held, of their attempts that are over."""

    __slots__ = ("_of", "_on")

    def __init__(self) -> None:
        self._of: dict[GroupId, tuple[float, float]] = {}
        self._on: dict[GroupId, dict[ChipName, float]] = {}
        """Seconds on chip types, as far as that was heard of."""

    def recall(self, attained: Iterable[tuple[GroupId, float, float]]) -> None:
        """Take in seconds and device-seconds that groups held before; what was known of these is replaced."""
        self._of.update((group, (held_s, device_s)) for group, held_s, device_s in attained)

    def add(self, group: GroupId, held_s: float, devices: float, chip: ChipName | None = None) -> None:
        """Take note that an attempt of a group held devices for so long; a clock that went back adds nothing."""
        if held_s > 0:
            before_s, before = self._of.get(group, NOTHING_YET)
            self._of[group] = (before_s + held_s, before + held_s * devices)
            if chip is not None:
                on = self._on.setdefault(group, {})
                on[chip] = on.get(chip, 0.0) + held_s

    def seconds_on(self, group: GroupId, chip: ChipName) -> float:
        """Return for how long a group held devices of a chip type; of what nobody knows where, it is all of that."""
        on = self._on.get(group, {})
        return self.of(group)[0] - sum(on.values()) + on.get(chip, 0.0)

    def of(self, group: GroupId) -> tuple[float, float]:
        """Return for how many seconds a group held something, and how many device-seconds that was."""
        return self._of.get(group, NOTHING_YET)

    def forget(self, groups: Iterable[GroupId]) -> None:
        """Let groups be over; without effect on those that never held anything."""
        for group in groups:
            self._of.pop(group, None)
            self._on.pop(group, None)
