"""Why one job was placed before another one, by what was noted when it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.model.asking.comparison import Because, Comparison

if TYPE_CHECKING:
    from datetime import datetime

    from scheduler.core.model.asking.grounds import Grounds, QueueShare
    from scheduler.core.model.identifiers import JobId
    from scheduler.core.model.sharing.queue import QueueName


@dataclass(frozen=True, slots=True)
class Contender:
    """A job that is compared."""

    job: JobId
    path: tuple[QueueName, ...]
    """Its queue and those that it is in, its own first."""
    priority: int
    submitted_at: datetime
    placed_at: datetime | None
    """When it was placed for the first time."""
    grounds: Grounds | None = None
    """What that rested on."""


def compare(one: Contender, other: Contender) -> Comparison:
    """Return why a job was placed before another one, or that it was not."""
    grounds, placed_at = one.grounds, one.placed_at
    if placed_at is None:
        return Comparison(one.job, other.job, Because.NOT_PLACED)
    if other.placed_at is not None and other.placed_at < placed_at:
        return Comparison(one.job, other.job, Because.OTHER_FIRST, grounds=grounds)
    if other.submitted_at > placed_at:
        return Comparison(one.job, other.job, Because.CAME_LATER, grounds=grounds)
    if grounds is None:
        return Comparison(one.job, other.job, Because.UNKNOWN)
    shares = _where_they_part(one, other, grounds)
    level = None if other.grounds is None else other.grounds.standing.level
    return Comparison(
        one.job,
        other.job,
        _because(one, other, grounds, shares, level),
        policy=grounds.standing.policy,
        priorities=(one.priority, other.priority),
        shares=shares,
        levels=(grounds.standing.level, level),
        grounds=grounds,
    )


def _because(
    one: Contender, other: Contender, grounds: Grounds, shares: tuple[QueueShare, ...], level: float | None
) -> Because:
    standing = grounds.standing
    if any(group.startswith(f"{other.job}-g") for group in grounds.overtaken):
        return Because.NO_PLACE
    if standing.shares and one.path[0] != other.path[0]:
        # a queue that was not noted was none of those that were due most
        return Because.SHARE if len(shares) < 2 or shares[0].rank <= shares[1].rank else Because.NO_PLACE  # noqa: PLR2004
    if standing.level is not None and level is not None and standing.level != level:
        return Because.LEVEL if standing.level < level else Because.NO_PLACE
    return _by_age(one, other, standing.ageing_s)


def _by_age(one: Contender, other: Contender, ageing_s: float) -> Because:
    ahead_s = (other.submitted_at - one.submitted_at).total_seconds()
    ahead_s += (one.priority - other.priority) * (ageing_s or float("1e12"))
    if ahead_s < 0 or (ahead_s == 0 and other.job < one.job):
        return Because.NO_PLACE
    return Because.EARLIER if one.submitted_at <= other.submitted_at else Because.PRIORITY


def _where_they_part(one: Contender, other: Contender, grounds: Grounds) -> tuple[QueueShare, ...]:
    """Return what was noted of the first queues, from the root down, that are not the same for both."""
    noted = {share.queue: share for share in (*grounds.standing.shares, *grounds.siblings)}
    for mine, theirs in zip(reversed(one.path), reversed(other.path), strict=False):
        if mine != theirs:
            return tuple(noted[name] for name in (mine, theirs) if name in noted)
    return ()
