"""Whether attempts still live and get on, judged by what they send: pure, and by nobody's clock but the watcher's.

An attempt's own times are never compared with ours, nor ours with the past: how long it was silent is added up from one
look to the next, while it could have been heard. So clocks may jump, and a server that was away counts nothing against
anybody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scheduler.core.model.group import StopReason
from scheduler.core.model.identifiers import AttemptId


@dataclass(frozen=True, slots=True)
class LifeSign:
    """How often an attempt was heard of by now."""

    attempt: AttemptId
    generation: int
    beats: int
    """Heartbeats that were kept."""
    reports: int
    """What its program reported of itself, as its runtime counts; 0 where it reports nothing."""


@dataclass(frozen=True, slots=True)
class Watched:
    """An attempt as of the latest look."""

    sign: LifeSign
    silent_s: float = 0.0
    stalled_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an attempt may be silent, and stand still; None: for ever."""

    silence_s: float
    stall_s: float | None


def look_again(
    before: Mapping[AttemptId, Watched], signs: Iterable[LifeSign], *, elapsed_s: float
) -> dict[AttemptId, Watched]:
    """Return the attempts as they are now; `elapsed_s` counts against those that gave no new sign."""
    found: dict[AttemptId, Watched] = {}
    for sign in signs:
        known = before.get(sign.attempt)
        if known is None or known.sign.generation != sign.generation:
            found[sign.attempt] = Watched(sign)
            continue
        found[sign.attempt] = Watched(
            sign,
            silent_s=known.silent_s + elapsed_s if sign.beats == known.sign.beats else 0.0,
            stalled_s=known.stalled_s + elapsed_s if sign.reports == known.sign.reports else 0.0,
        )
    return found


def verdict(watched: Watched, patience: Patience) -> StopReason | None:
    """Return why an attempt is to be ended, None where it is not."""
    if watched.silent_s > patience.silence_s:
        return StopReason.SILENT
    reports = watched.sign.reports > 0
    if reports and patience.stall_s is not None and watched.stalled_s > patience.stall_s:
        return StopReason.STALLED
    return None
