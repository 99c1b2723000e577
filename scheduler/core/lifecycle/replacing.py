"""Which replicas of a server make room for its new version, a step at a time: pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.lifecycle.replicas import is_member
from scheduler.core.model.group import HOLDING, Group, State


@dataclass(frozen=True, slots=True)
class Aged:
    """A group, and of which version of its job its latest attempt is."""

    group: Group
    revision: int
    """0 where there never was an attempt."""


def next_to_replace(groups: Sequence[Aged], revision: int) -> tuple[Group, ...]:
    """Return which groups to stop now, so that they start again as the job's present version.

    Those that do not serve go at once. Of those that do one goes, the first, and only while all the others serve: there
    is never more than one missing for it, and a version that does not become ready replaces one replica and no more.
    """
    members = [each for each in groups if is_member(each.group)]
    outdated = [
        each.group
        for each in members
        if each.revision < revision and each.group.state in HOLDING and each.group.state is not State.STOPPING
    ]
    idle = tuple(group for group in outdated if group.state is not State.RUNNING)
    if idle or any(each.group.state is not State.RUNNING for each in members):
        return idle
    return tuple(outdated[:1])
