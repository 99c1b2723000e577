"""How fast jobs of one kind are on each chip type: measured, or said by an operator."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.core.model.identifiers import ChipName, TenantName

MOST_THROUGHPUTS = 10_000
"""So many are kept: of measured ones those that were longest not heard of are forgotten."""
MOST_WEIGHT = 64
"""What was measured before counts as at most so many reports against the new ones."""


@dataclass(frozen=True, slots=True)
class JobFamily:
    """Jobs that do the same, of one tenant."""

    tenant: TenantName
    name: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What reports of one family on one chip type said since a time."""

    family: JobFamily
    chip: ChipName
    units_per_s: float
    """The mean, per device."""
    reports: int


@dataclass(frozen=True, slots=True)
class Throughput:
    """How fast jobs of a family are on one device of a chip type."""

    family: JobFamily
    chip: ChipName
    measured_per_s: float | None
    """What workers reported, newer reports counting more; None where none did."""
    reports: int
    """How many did."""
    set_per_s: float | None
    """What an operator said; it is what counts."""
    version: int
    """From 1; grows with every change."""
    at: datetime
    """Of the latest change."""

    @property
    def units_per_s(self) -> float | None:
        """What counts, per device."""
        return self.measured_per_s if self.set_per_s is None else self.set_per_s


@dataclass(frozen=True, slots=True)
class Speed:
    """What of a throughput is decided on."""

    family: JobFamily
    chip: ChipName
    per_s: float | None
    """To two digits, so that the noise of measuring changes nothing; None: nothing is known any more."""
    is_set: bool = False
    """An operator said it; else it is what workers of the tenant reported."""


def speed_of(one: Throughput) -> Speed:
    """Return what of a throughput is decided on."""
    per_s = one.units_per_s
    return Speed(one.family, one.chip, None if per_s is None else float(f"{per_s:.1e}"), one.set_per_s is not None)


def learnt(known: Throughput | None, new: Measured, at: datetime) -> Throughput:
    """Return a throughput with further reports taken in."""
    if known is None:
        return Throughput(new.family, new.chip, new.units_per_s, new.reports, None, 1, at)
    before, had = known.measured_per_s, min(known.reports, MOST_WEIGHT)
    part = 1.0 if before is None else new.reports / (had + new.reports)
    mean = (before or 0.0) * (1.0 - part) + new.units_per_s * part
    reports = known.reports + new.reports
    return Throughput(known.family, known.chip, mean, reports, known.set_per_s, known.version + 1, at)
