"""How many groups of a server are wanted, against those there are: pure, the same answer for the same picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.model.group import FINAL, WISHES, Group, State, StopReason

_KEPT_FIRST = (State.RUNNING, State.STARTING, State.PLACED, State.QUEUED, State.STOPPING)


@dataclass(frozen=True, slots=True)
class Scaling:
    """What makes the groups as many as are wanted."""

    retire: tuple[Group, ...] = ()
    """To be stopped for SCALED_DOWN; those that are furthest from serving first, among equals the latest."""
    revive: tuple[Group, ...] = ()
    """Over, and wanted again, the first ones first."""
    add: int = 0
    """So many new ones are needed: a job never has more groups than replicas were ever wanted of it."""


def scaling(groups: Sequence[Group], wanted: int, *, with_failed: bool) -> Scaling:
    """Return what to do with a server's groups, which are given by index.

    One that is leaving does not count, and is not replaced by a new one: it is revived once it is over. `with_failed`:
    replicas that failed for good are wanted again as well; else they stay as they are, and in their place nothing is.
    """
    members = [group for group in groups if is_member(group)]
    failed = 0 if with_failed else sum(group.state is State.FAILED for group in groups)
    missing = wanted - len(members) - failed
    if wanted < len(members):
        order = sorted(members, key=lambda group: (_KEPT_FIRST.index(group.state), group.index))
        return Scaling(retire=tuple(order[wanted:][::-1]))
    over = [group for group in groups if _may_come_back(group, with_failed=with_failed)]
    revived = tuple(over[: max(missing, 0)])
    return Scaling(revive=revived, add=max(min(missing - len(revived), wanted - len(groups)), 0))


def is_member(group: Group) -> bool:
    """Say whether a group is one of those that its job is to have: it lives, and is not on its way out."""
    return group.state not in FINAL and not (group.state is State.STOPPING and group.stop_reason in WISHES)


def _may_come_back(group: Group, *, with_failed: bool) -> bool:
    if group.state is State.CANCELLED:
        return group.stop_reason is StopReason.SCALED_DOWN
    return with_failed and group.state is State.FAILED
