"""How much a caller may ask for in a time: allowances that refill evenly, and are charged together or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rate:
    """An allowance's size, and how fast it refills."""

    units: int
    """As much as can be spent at once; positive."""
    window_s: int
    """How long an empty allowance takes to be full again; positive."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Somebody's allowance."""

    name: str
    """What kind of allowance it is, such as `token`; callers are told."""
    key: str
    """Whose it is: among allowances of one name no two have the same."""
    rate: Rate


@dataclass(frozen=True, slots=True)
class Balance:
    """What is in an allowance after a charge."""

    allowance: Allowance
    remaining: int
    """Whole units that could be spent now."""
    full_in_s: float
    """After which it is full again, if nothing more is spent."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What became of a charge."""

    is_granted: bool
    """Where it is not, nothing was spent of any allowance."""
    wait_s: float
    """After which the same charge would be granted, if nothing else is spent; 0 where it is granted."""
    balances: tuple[Balance, ...]
    """Of the allowances, in their order."""


class RateLimits(Protocol):
    """Keeps allowances. An allowance that nobody charged for long enough is full and takes no memory."""

    def charge(self, allowances: Sequence[Allowance], cost: int) -> Charge:
        """Spend `cost` units of each allowance, or nothing where one of them has not so much.

        A cost above an allowance's size counts as its size: what is asked for once an hour is possible at all. Never
        raises, and takes milliseconds; what is shared with other processes is not refused because that place is away.
        """
        ...


def balance(allowance: Allowance, full_in_s: float) -> Balance:
    """Return the balance of an allowance that is full after a time."""
    rate = allowance.rate
    missing = full_in_s * rate.units / rate.window_s
    return Balance(allowance, max(int(rate.units - missing + _ROUNDING), 0), full_in_s)


_ROUNDING = 1e-6
"""What floating point may lose of a unit that is there."""
