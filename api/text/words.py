"""Small words: counts, lists and times as people say them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from scheduler.core.model.job import AnyOf, ExactMix, JobSpec

MOST_LISTED = 5


def count(number: int, noun: str) -> str:
    """Return `1 worker`, `2 workers`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(parts: Sequence[str], last: str) -> str:
    """Return `a, b and c`, with `last` for the last joint; after a few parts the rest is only counted."""
    shown = list(parts)
    if len(shown) > MOST_LISTED:
        shown = [*shown[: MOST_LISTED - 1], f"{len(parts) - MOST_LISTED + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def clock_time(moment: datetime) -> str:
    """Return `12:30:05 UTC`."""
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `11th`."""
    teens = 10 <= number % 100 <= 20  # noqa: PLR2004 - eleventh, twelfth, thirteenth
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def gang(spec: JobSpec) -> str:
    """Return what a job asks for, such as `4 workers with 2 devices each on h100-sxm or a800-sxm`."""
    match spec.chips:
        case AnyOf(chips):
            where = listed(chips, "or")
        case ExactMix(workers):
            where = listed([f"{chip} ({number})" for chip, number in workers], "and")
    return f"{count(spec.workers, 'worker')} with {count(spec.shape.devices, 'device')} each on {where}"
