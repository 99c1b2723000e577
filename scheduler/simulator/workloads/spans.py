"""How long something takes, where it takes another time each time."""

from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import Protocol

_Z_OF_90_PERCENT = 1.2815515655446004
"""So many standard deviations above its mean has a normal distribution nine tenths of all below it."""


class Span(Protocol):
    """A distribution of seconds."""

    def draw(self, random: Random) -> float:
        """Return one span, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    seconds: float

    def draw(self, random: Random) -> float:  # noqa: ARG002 - nothing is left to chance
        """Return it."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything between two times, each as likely as the other."""

    least_s: float
    most_s: float

    def draw(self, random: Random) -> float:
        """Return one span."""
        return random.uniform(self.least_s, self.most_s)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """As run times of jobs are: half below the median, few very long ones; none above the longest."""

    median_s: float
    p90_s: float
    """Nine in ten are shorter."""
    longest_s: float

    def draw(self, random: Random) -> float:
        """Return one span."""
        sigma = log(self.p90_s / self.median_s) / _Z_OF_90_PERCENT
        return min(self.longest_s, self.median_s * exp(sigma * random.gauss(0.0, 1.0)))
