"""Who waits, by what they ask for: of alike gangs the first one speaks for all of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.core.model.identifiers import GroupId
    from scheduler.core.queueing.order import QueueKey

Asked = TypeVar("Asked")
"""What makes gangs alike: hashable."""
Place = tuple["QueueKey", "GroupId"]


@dataclass(slots=True, eq=False)
class WaitingClass(Generic[Asked]):
    """Gangs that ask for the same: where the first finds no room, none does. Compared by identity."""

    asked: Asked
    members: list[Place] = field(default_factory=list)
    """First in the queue first."""

    @property
    def first(self) -> QueueKey:
        """Where its first member stands in the queue. Raises IndexError where it has none."""
        return self.members[0][0]


class WaitingClasses(Generic[Asked]):
    """All that waits, each group in one class; a class without members is forgotten."""

    __slots__ = ("_by_asked", "_of_group")

    def __init__(self) -> None:
        self._by_asked: dict[Asked, WaitingClass[Asked]] = {}
        self._of_group: dict[GroupId, tuple[WaitingClass[Asked], Place]] = {}

    @property
    def all(self) -> Mapping[Asked, WaitingClass[Asked]]:
        """The classes, in no order that means anything."""
        return self._by_asked

    def join(self, group: GroupId, asked: Asked, key: QueueKey) -> WaitingClass[Asked]:
        """Let a group wait, or wait as somebody else than before; return its class."""
        self.leave(group)
        found = self._by_asked.get(asked)
        if found is None:
            found = self._by_asked[asked] = WaitingClass(asked)
        place = (key, group)
        members = found.members
        if not members or members[-1] < place:
            members.append(place)
        else:
            insort(members, place)
        self._of_group[group] = (found, place)
        return found

    def move(self, group: GroupId, key: QueueKey) -> None:
        """Let a group stand elsewhere in the queue, in its class. Raises KeyError where it does not wait."""
        found, place = self._of_group[group]
        del found.members[bisect_left(found.members, place)]
        insort(found.members, (key, group))
        self._of_group[group] = (found, (key, group))

    def leave(self, group: GroupId) -> None:
        """Let a group wait no longer; without effect where it does not."""
        known = self._of_group.pop(group, None)
        if known is None:
            return
        found, place = known
        del found.members[bisect_left(found.members, place)]
        if not found.members:
            del self._by_asked[found.asked]

    def of(self, group: GroupId) -> WaitingClass[Asked] | None:
        """Return the class of a group, None where it does not wait."""
        known = self._of_group.get(group)
        return None if known is None else known[0]

    def place_of(self, group: GroupId) -> Place:
        """Return where a group stands in the queue. Raises KeyError where it does not wait."""
        return self._of_group[group][1]
