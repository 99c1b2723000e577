"""Places in the order of the queue, as sentences."""

from typing import assert_never

from api.text.words import count, duration, listed, ordinal
from scheduler.core.model.asking.comparison import Because, Comparison
from scheduler.core.model.asking.grounds import Grounds, QueueShare, Standing
from scheduler.core.model.identifiers import job_named_by

_PERCENT = 100


def standing_text(standing: Standing) -> str:
    """Return what a place rests on."""
    facts = [f"priority {standing.priority}", f"{duration(max(0.0, standing.age_s))} old"]
    if standing.shares:
        facts.insert(0, listed([share_text(share) for share in standing.shares], "and"))
    if standing.policy in ("las", "srtf", "srsf"):
        facts.insert(0, _level(standing))
    if standing.policy == "rounds":
        facts.insert(0, "its turn is in this round" if standing.level == 0 else "its turn comes in a later round")
    return f"{standing.policy}: {ordinal(standing.place)} in queue {standing.queue}; {', '.join(facts)}"


def share_text(share: QueueShare) -> str:
    """Return what a queue has."""
    weight = "" if share.weight == 1 else f" at weight {share.weight}"
    return f"queue {share.queue} has {share.share * _PERCENT:.3g} %{weight}"


def grounds_text(grounds: Grounds) -> str:
    """Return what a placement rested on."""
    text = standing_text(grounds.standing)
    if grounds.overtook:
        named = listed([job_named_by(group) for group in grounds.overtaken], "and") if grounds.overtaken else ""
        were = "was" if grounds.overtook == 1 else "were"
        text += f"; {grounds.overtook} of its queue {were} before it and could not start then"
        text += f": {named}" if named else ""
    if grounds.kept:
        text += f"; it left alone what {count(len(grounds.kept), 'reservation')} kept"
    return text


def comparison_text(found: Comparison) -> str:  # noqa: PLR0911 - one sentence per answer
    """Return why a job was placed before another one, or that it was not."""
    job, other = found.job, found.other
    match found.because:
        case Because.NOT_PLACED:
            return f"Job {job} was not placed yet."
        case Because.OTHER_FIRST:
            return f"It is the other way round: job {other} was placed first."
        case Because.CAME_LATER:
            return f"Job {other} was submitted only after {job} had been placed."
        case Because.UNKNOWN:
            return f"Nobody noted what the placement of job {job} rested on."
        case Because.NO_PLACE:
            return (
                f"Job {other} came first in the order, and could not start then: what was free would not do for it, or "
                "its quotas left it too little."
            )
        case Because.SHARE:
            return f"The queue of {job} was due more: {_both(found)}."
        case Because.LEVEL:
            return _by_level(found)
        case Because.PRIORITY:
            return f"Job {job} has the higher priority, {found.priorities[0]} against {found.priorities[1]}."
        case Because.EARLIER:
            return f"Job {job} was submitted earlier."
    assert_never(found.because)


def _by_level(found: Comparison) -> str:
    if found.policy == "rounds":
        return f"By rounds, {found.job} had its turn in that round, and {found.other} not."
    levels = " against ".join(map(_number, found.levels))
    return f"By {found.policy}, {found.job} came first: {levels}."


def _both(found: Comparison) -> str:
    texts = [share_text(share) for share in found.shares]
    return ", ".join(texts).replace(" has ", " had ")


def _level(standing: Standing) -> str:
    if standing.policy == "las":
        return f"step {_number(standing.level)} of attained service"
    what = "run time" if standing.policy == "srtf" else "device-time"
    return (
        f"{what} left is not known"
        if standing.level is None
        else f"{duration(max(0.0, standing.level))} of {what} left"
    )


def _number(level: float | None) -> str:
    return "unknown" if level is None else f"{level:.4g}"
