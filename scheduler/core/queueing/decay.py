"""What was held lately: an average in which what is long past counts less and less."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp2
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.sharing.queue import QueueName

DEFAULT_HALF_LIFE_S = 7 * 24 * 3_600.0
"""A week: who had too little makes up for it over days, while what was held a month ago counts a twentieth."""
HELD_NOW = 0.1
"""This part of a share is what is held now, the rest what was held lately. With none of it, equals that start together
would get everything one after the other; with more, what is held now hides for how long somebody was short."""


@dataclass(frozen=True, slots=True)
class DecayedAverage:
    """An exponentially weighted average over time of a figure that changes in steps.

    After one half-life the past counts half and what has been since counts half: for a figure h held from t0 to t,
    average(t) = average(t0) x w + h x (1 - w), with w = 2^(-(t - t0) / half-life).
    """

    average: float
    """At `at`."""
    held: int
    """The figure since then."""
    at: datetime

    def value(self, now: datetime, half_life_s: float) -> float:
        """Return the average at a time; a clock that went back changes nothing."""
        past_s = max(0.0, (now - self.at).total_seconds())
        weight = exp2(-past_s / half_life_s)
        return self.average * weight + self.held * (1.0 - weight)

    def step(self, held: int, now: datetime, half_life_s: float) -> DecayedAverage:
        """Return it with another figure from a time on."""
        return DecayedAverage(self.value(now, half_life_s), held, max(now, self.at))


@dataclass(frozen=True, slots=True)
class HeldLately:
    """What a queue held during one period that is over, or of which a part is."""

    queue: QueueName
    chip: ChipName
    began: datetime
    period_s: float
    milli_s: float
    """Thousandths of devices times seconds."""


def averages(
    periods: Iterable[HeldLately], at: datetime, half_life_s: float
) -> Iterator[tuple[QueueName, ChipName, float]]:
    """Yield what queues held on average up to a moment as a `DecayedAverage` would say, from sums over periods."""
    sums: dict[tuple[QueueName, ChipName], float] = {}
    for held in periods:
        ended_s = max(0.0, (at - held.began).total_seconds() - held.period_s)
        began_s = max(0.0, (at - held.began).total_seconds())
        if began_s > ended_s:
            weight = exp2(-ended_s / half_life_s) - exp2(-began_s / half_life_s)
            key = (held.queue, held.chip)
            sums[key] = sums.get(key, 0.0) + held.milli_s / (began_s - ended_s) * weight
    for (queue, chip), average in sorted(sums.items()):
        yield queue, chip, average
