"""Moments, durations and amounts as people say them."""

from collections.abc import Mapping
from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_MIB_PER_GIB = 1024
_MILLI = 1000
_MILLI_PER_PERCENT = 10
_BAR_CELLS = 10


def now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """Read a time of the API (RFC 3339, UTC)."""
    return datetime.fromisoformat(text)


def age(text: str | None, at: datetime) -> str:
    """Return how long before `at` a time of the API was, in its largest unit; empty where there is none."""
    return " ".join(duration((at - parse_time(text)).total_seconds()).split()[:2]) if text else ""


def moment(text: str | None, at: datetime) -> str:
    """Return a time both ways, such as `3 min ago (2026-01-01T00:00:00Z)`."""
    if not text:
        return "-"
    when = parse_time(text)
    seconds = (at - when).total_seconds()
    relative = f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(-seconds)}"
    return f"{relative} ({when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units at most: `4 s`, `3 min 20 s`, `2 d 4 h`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for size, unit in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    if left or not parts:
        parts.append(f"{left} s")
    return " ".join(parts[:2])


def memory(mib: int | None) -> str:
    """Return memory in MiB below 1 GiB, else in GiB to a tenth; `?` where it is not known."""
    if mib is None:
        return "?"
    return f"{mib} MiB" if 0 < mib < _MIB_PER_GIB else f"{round(mib / _MIB_PER_GIB, 1):g} GiB"


def memory_of(held_mib: int, mib: int) -> str:
    """Return how much is held of how much memory, the unit said once where it is the same: `64/2304 GiB`."""
    held, total = memory(held_mib), memory(mib)
    unit = total.rpartition(" ")[2]
    return f"{held.removesuffix(f' {unit}') if held_mib else 0}/{total}"


def share_size(share: Mapping[str, int]) -> str:
    """Return how much of a device a share is: `50 % (40 GiB)`."""
    return f"{share['milli'] / _MILLI_PER_PERCENT:g} % ({memory(share['memory_mib'])})"


def cores(milli: int) -> str:
    """Return milli-cores in cores."""
    return f"{milli / _MILLI:g}"


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 retry`, `4 retries`."""
    return f"{number:,} {one if number == 1 else many}"


def figure(number: float | None) -> str:
    """Return a measured figure without needless digits; `?` where it is not known."""
    return "?" if number is None else f"{number:g}"


def bar(part: float, *, mark: float | None = None) -> str:
    """Return a bar of 10 cells that is full as far as `part` says, 0 to 1; with a line between cells at `mark`."""
    full = round(min(max(part, 0.0), 1.0) * _BAR_CELLS)
    cells = "█" * full + "░" * (_BAR_CELLS - full)
    if mark is None:
        return cells
    place = round(mark * _BAR_CELLS)
    return f"{cells[:place]}│{cells[place:]}"
