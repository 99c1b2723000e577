"""Accounts: exactly how long who held how many devices of what, and what that is worth as compute."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.records.usage import HeldSpan

MOST_ACCOUNTS = 20_000
PARTS = ("tenant", "user", "chip", "day")
"""What accounts can be told apart by."""
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_PER_HOUR = 3_600 * 1_000_000
_TERA_PER_PETA = 1_000

_Key = tuple[TenantName, str, date | None]
"""Tenant, user and day; empty or None where accounts are not told apart by it."""


class TooManyAccounts(ValueError):
    """More than MOST_ACCOUNTS: the span is to be shorter, or the parts fewer."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Chip-hours and what they are worth."""

    chip_hours: float
    pflops_hours: float
    """Normalised compute: each chip-hour counts its type's rate, in dense BF16 PFLOP/s (ChipType.planning_tflops)."""
    is_estimate: bool
    """Whether a rate in it is a data sheet's rather than a measured one."""
    unrated_chip_hours: float
    """Of chip types whose rate nobody knows: they count nothing as compute."""


@dataclass(frozen=True, slots=True)
class Account:
    """What was held; a part by which accounts were not told apart is None."""

    tenant: TenantName | None
    user: str | None
    chip: ChipName | None
    day: date | None
    """In UTC."""
    worth: Worth


def account_usage(
    spans: Iterable[HeldSpan],
    chips: Collection[ChipType],
    *,
    since: datetime,
    until: datetime,
    by: Collection[str],
) -> list[Account]:
    """Return the accounts of [since, until), in the order of their parts. Raises TooManyAccounts.

    Sums are whole numbers of microseconds times thousandths of devices until the very end: nothing is rounded away.
    """
    sums: dict[_Key, dict[ChipName, int]] = defaultdict(lambda: defaultdict(int))
    count = 0
    for span in spans:
        for day, amount in _amounts(span, since, until, has_days="day" in by):
            key = (span.tenant if "tenant" in by else "", span.user if "user" in by else "", day)
            of_key = sums[key]
            count += span.chip not in of_key
            of_key[span.chip] += amount
            if count > MOST_ACCOUNTS:
                raise TooManyAccounts
    catalogue = {chip.name: chip for chip in chips}
    return [
        Account(tenant or None, user or None, chip, day, worth_of(amounts, catalogue))
        for (tenant, user, day), of_chips in sorted(sums.items(), key=_in_order)
        for chip, amounts in _told_apart(of_chips, by_chip="chip" in by)
    ]


def _in_order(item: tuple[_Key, object]) -> tuple[str, str, date]:
    tenant, user, day = item[0]
    return tenant, user, day or date.min


def _told_apart(
    amounts: Mapping[ChipName, int], *, by_chip: bool
) -> Iterator[tuple[ChipName | None, Mapping[ChipName, int]]]:
    if not by_chip:
        yield None, amounts
        return
    for chip in sorted(amounts):
        yield chip, {chip: amounts[chip]}


def held_worth(spans: Iterable[HeldSpan], catalogue: Mapping[ChipName, ChipType], *, until: datetime) -> Worth:
    """Return what whole spans are worth; one that lasts still is counted until a moment."""
    sums: dict[ChipName, int] = defaultdict(int)
    for span in spans:
        sums[span.chip] += span.devices_milli * (((span.ended or until) - span.began) // _MICROSECOND)
    return worth_of(sums, catalogue)


def worth_of(sums: Mapping[ChipName, int], catalogue: Mapping[ChipName, ChipType]) -> Worth:
    """Return what sums by chip type are worth, in thousandths of devices times microseconds."""
    hours = {chip: amount / WHOLE_DEVICE_MILLI / _MICROSECONDS_PER_HOUR for chip, amount in sums.items()}
    rates = {chip: known.planning_tflops for chip in hours if (known := catalogue.get(chip)) is not None}
    compute = {chip: hours[chip] * rate / _TERA_PER_PETA for chip, rate in rates.items() if rate is not None}
    return Worth(
        chip_hours=sum(hours.values()),
        pflops_hours=sum(compute.values()),
        is_estimate=any(catalogue[chip].rate_is_estimate for chip in compute),
        unrated_chip_hours=sum(amount for chip, amount in hours.items() if chip not in compute),
    )


def _amounts(span: HeldSpan, since: datetime, until: datetime, *, has_days: bool) -> Iterator[tuple[date | None, int]]:
    """Yield what was held within a span of time, day by day where days are told apart."""
    began, ended = max(span.began, since), min(span.ended or until, until)
    while began < ended:
        end = min(ended, _next_day(began)) if has_days else ended
        yield (began.astimezone(UTC).date() if has_days else None), span.devices_milli * ((end - began) // _MICROSECOND)
        began = end


def _next_day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
