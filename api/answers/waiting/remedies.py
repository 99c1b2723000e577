"""What a user could change of a job, as answers."""

from typing import Any, assert_never

from api.schemas.reason import RemedyAnswer
from api.text.words import count, duration
from scheduler.core.model.asking.remedies import (
    AlsoOnChip,
    FewerDevices,
    FewerWorkers,
    Remedy,
    ShorterLimit,
    Wishful,
    Without,
)
from scheduler.core.model.job import AnyOf, JobSpec
from scheduler.services.questions.advise import Advice


def remedy_answers(spec: JobSpec, advice: Advice) -> tuple[RemedyAnswer, ...]:
    """Return what would help a job that asks for `spec`, the smallest change first."""
    return tuple(_answer(spec, remedy, starts_now=advice.starts_now) for remedy in advice.remedies)


def _answer(spec: JobSpec, remedy: Remedy, *, starts_now: bool) -> RemedyAnswer:
    text, field, value = _change(spec, remedy)
    effect = "would start now" if starts_now else "would fit if nothing else ran"
    return RemedyAnswer(text=f"{text}, it {effect}", field=field, value=value, starts_now=starts_now)


def _change(spec: JobSpec, remedy: Remedy) -> tuple[str, str, Any]:
    """Return the change in words, and the field of a job file with what it would be; None: to be left out."""
    match remedy:
        case ShorterLimit(limit_s):
            return f"with a time limit of {duration(limit_s)}", "time_limit_s", limit_s
        case Without(Wishful.CLOSENESS):
            preferred = spec.closeness.preferred
            return "without topology.require", "topology", None if preferred is None else {"prefer": list(preferred)}
        case Without(wish):
            return f"without {wish.value}", wish.value, None
        case AlsoOnChip(chip):
            known = spec.chips.chips if isinstance(spec.chips, AnyOf) else ()
            return f"on {chip} as well", "chips", [*known, chip]
        case FewerWorkers(workers):
            return f"with {count(workers, 'worker')}", "workers", workers
        case FewerDevices(devices):
            return f"with {count(devices, 'device')} per worker", "devices_per_worker", devices
    assert_never(remedy)
