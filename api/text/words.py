"""Small words: counts, lists and times as people say them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

from scheduler.core.model.job import AnyOf, ExactMix, JobSpec
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import NODE

MOST_LISTED = 5
_MILLI_PER_PERCENT = 10
_UNITS = ((90, 1, "second", 1), (5_400, 60, "minute", 1), (172_800, 3_600, "hour", 2), (float("inf"), 86_400, "day", 2))
"""Up to how many seconds which unit is used, how long it is, and in how many parts it is told."""


def count(number: int, noun: str) -> str:
    """Return `1 worker`, `2,000 workers`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(parts: Sequence[str], last: str) -> str:
    """Return `a, b and c`, with `last` for the last joint; after a few parts the rest is only counted."""
    shown = list(parts)
    if len(shown) > MOST_LISTED:
        shown = [*shown[: MOST_LISTED - 1], f"{len(parts) - MOST_LISTED + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def clock_time(moment: datetime) -> str:
    """Return `12:30:05 UTC`."""
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def date_and_time(moment: datetime) -> str:
    """Return `2026-01-31 12:30:05 UTC`, of what may be on another day."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """Return `40 seconds`, `25 minutes`, `3.5 hours`, `2 days`: rounded down, as people say it."""
    _, unit, name, steps = next(row for row in _UNITS if seconds < row[0])
    number = seconds // (unit / steps) / steps
    return f"{number:g} {name}" if number == 1 else f"{number:g} {name}s"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `did you mean h100-sxm? `, for what else can be done to follow; empty where nothing is like the name."""
    near = nearest(name, known)
    return f"did you mean {near}? " if near else ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like one, or else the first that begins like it; None where there is none."""
    names = list(known)
    near = get_close_matches(name, names, n=1) or [one for one in names if name and one.startswith(name)]
    return near[0] if near else None


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `11th`."""
    teens = 10 <= number % 100 <= 20  # noqa: PLR2004 - eleventh, twelfth, thirteenth
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def in_one(level: str) -> str:
    """Return where workers are that are in one domain of a topology level: `on one node`, `in one rack`."""
    return "on one node" if level == NODE else f"in one {level}"


def _held(shape: WorkerShape) -> str:
    """Return what a worker holds, such as `2 devices`, or a share of one device."""
    if shape.share_milli:
        share = f"{shape.share_milli / _MILLI_PER_PERCENT:g} % of a device"
        return f"{share} and {shape.share_memory_mib:,} MiB of its memory"
    return count(shape.devices, "device") if shape.devices else "no devices"


def gang(spec: JobSpec) -> str:
    """Return what a job asks for, such as `4 workers with 2 devices each on h100-sxm or a800-sxm`."""
    match spec.chips:
        case AnyOf(chips):
            where = listed(chips, "or")
        case ExactMix(workers):
            where = listed([f"{chip} ({number})" for chip, number in workers], "and")
    each = f"{count(spec.replicas, 'replica')} of " if spec.serves else ""
    fewest = "" if spec.elastic is None else f"{spec.elastic.least} to "
    parts = [f"{each}{fewest}{_sized(spec.workers, spec.shape)} on {where}"]
    parts += [f"or {_sized(one.workers, one.shape)} on {listed(one.chips, 'or')}" for one in spec.alternatives]
    parts += [f"{count(role.workers, 'worker')} of role {role.name}" for role in spec.roles]
    return "; ".join(parts)


def _sized(workers: int, shape: WorkerShape) -> str:
    each = " each" if workers > 1 and (shape.devices or shape.share_milli) else ""
    return f"{count(workers, 'worker')} with {_held(shape)}{each}"
