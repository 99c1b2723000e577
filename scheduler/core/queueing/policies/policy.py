"""The order policies: what each puts before age, and what it has to know of a gang for that."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, ClassVar

from scheduler.core.queueing.decay import DEFAULT_HALF_LIFE_S
from scheduler.core.queueing.rounds.allocating import Goal

if TYPE_CHECKING:
    from scheduler.core.queueing.policies.service import Past

DEFAULT_LEVELS_S = (3_600.0, 36_000.0, 360_000.0)
"""One, ten and a hundred device-hours."""
DEFAULT_ROUND_S = 360.0
DEFAULT_PATIENCE_S = 3 * 24 * 3_600.0


class PolicyName(StrEnum):
    """By which a policy is chosen."""

    FIFO = "fifo"
    FAIR = "fair"
    LAS = "las"
    SRTF = "srtf"
    SRSF = "srsf"
    ROUNDS = "rounds"


@dataclass(frozen=True, slots=True)
class Fifo:
    """Who came first, whatever the queue."""

    name: ClassVar[PolicyName] = PolicyName.FIFO

    def level(self, past: Past) -> float:  # noqa: ARG002 - the same for all
        """Return what a gang is sorted by before its age."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Fair:
    """The queue that has the least of what it is due, from the root of the tree down; within a queue who came first."""

    name: ClassVar[PolicyName] = PolicyName.FAIR
    half_life_s: float = DEFAULT_HALF_LIFE_S
    """After so long, what was held counts half; 0: only what is held now counts."""

    def level(self, past: Past) -> float:  # noqa: ARG002 - queues come before gangs
        """Return what a gang is sorted by before its age."""
        return 0.0


@dataclass(frozen=True, slots=True)
class LeastAttained:
    """Who had the least of device-seconds, in steps: within a step who came first, so that none take turns for ever."""

    name: ClassVar[PolicyName] = PolicyName.LAS
    levels_s: tuple[float, ...] = DEFAULT_LEVELS_S
    """Device-seconds at which the next step begins, ascending."""
    patience_s: float = DEFAULT_PATIENCE_S
    """Who is older goes before all who are not; 0: nobody does."""

    def level(self, past: Past) -> float:
        """Return what a gang is sorted by before its age."""
        if _is_out_of_patience(self.patience_s, past):
            return -1.0
        return float(bisect_right(self.levels_s, past.attained_s))


@dataclass(frozen=True, slots=True)
class ShortestFirst:
    """Who will run for the shortest time still, alone or times the devices; of whom nobody knows, after all others."""

    times_devices: bool = False
    patience_s: float = DEFAULT_PATIENCE_S
    """Who is older goes before all who are not; 0: nobody does."""

    @property
    def name(self) -> PolicyName:
        """By which it is chosen."""
        return PolicyName.SRSF if self.times_devices else PolicyName.SRTF

    def level(self, past: Past) -> float:
        """Return what a gang is sorted by before its age."""
        if _is_out_of_patience(self.patience_s, past):
            return -1.0
        if past.remaining_s is None:
            return inf
        return past.remaining_s * (past.devices if self.times_devices else 1.0)


@dataclass(frozen=True, slots=True)
class RoundByRound:
    """Whose turn it is in this round, and on which chip type: worked out at its edge for all jobs together."""

    name: ClassVar[PolicyName] = PolicyName.ROUNDS
    round_s: float = DEFAULT_ROUND_S
    """Between two edges."""
    goal: Goal = Goal.FAIRNESS
    """What turns are given for."""
    patience_s: float = DEFAULT_PATIENCE_S
    """Who is older and waits goes before all others; 0: nobody does."""
    moves_running: bool = True
    """Whether what runs may be stopped for another one's turn."""
    least_run_s: float = 60.0
    """It runs for so long at least before that."""
    restart_s: float = 60.0
    """What it costs to be stopped and started elsewhere, beside the work that was not saved."""

    def level(self, past: Past) -> float:
        """Return what a gang is sorted by before its age."""
        return 0.0 if past.has_turn else 1.0


OrderPolicy = Fifo | Fair | LeastAttained | ShortestFirst | RoundByRound


def _is_out_of_patience(patience_s: float, past: Past) -> bool:
    return 0 < patience_s <= past.age_s


DEFAULT_ROUNDS = RoundByRound()


def policy_of(
    name: PolicyName, *, half_life_s: float = DEFAULT_HALF_LIFE_S, rounds: RoundByRound = DEFAULT_ROUNDS
) -> OrderPolicy:
    """Return a policy as it is by default, but for what is said of it."""
    match name:
        case PolicyName.FIFO:
            return Fifo()
        case PolicyName.FAIR:
            return Fair(half_life_s)
        case PolicyName.LAS:
            return LeastAttained()
        case PolicyName.SRTF | PolicyName.SRSF:
            return ShortestFirst(times_devices=name is PolicyName.SRSF)
        case PolicyName.ROUNDS:
            return rounds
