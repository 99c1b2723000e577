"""Who would have a place on a state as it is supposed: one pass, over those alone that may have gained something."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.keeping import Keeping
from scheduler.core.deciding.backfilling.promises import Promises
from scheduler.core.deciding.contest import Contest
from scheduler.core.deciding.cycle import Cycle
from scheduler.core.deciding.preempting.evicting import Evicting
from scheduler.core.deciding.preempting.memory import Attempts
from scheduler.core.deciding.preempting.rules import Scope
from scheduler.core.deciding.sleepers import Sleepers
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Evicted, Placed, Resized
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scheduler.core.deciding.lacks import LacksRoom, Numbers, PoolName, RoomFor
    from scheduler.core.deciding.parts.waiters import Class
    from scheduler.core.deciding.preempting.rules import Rules
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.states.node_kind import NodeKind
    from scheduler.core.model.attempt import Allocation
    from scheduler.core.model.identifiers import ChipName, GroupId
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.placement.request import GangRequest

NEVER_S = 10 * 365 * 86_400.0
"""Nobody has waited so long: no reservation is made."""
MOST_ASKED = 4_096
"""So many classes of gangs are asked, the first in the queue first: the others would come after them."""


@dataclass(slots=True)
class Gained:
    """What there is more of than before: those who wait lacked it, for they had no place."""

    groups: dict[GroupId, None]
    """Those that wait since, and were not asked yet."""
    pools: dict[PoolName, None]
    """With more room."""
    queues: dict[QueueName, None]
    """That may have more, or hold less."""

    @classmethod
    def nothing(cls) -> Gained:
        """Return what there is more of where nothing changed."""
        return cls({}, {}, {})

    def room_on(self, kind: NodeKind) -> None:
        """Note that there is more room on nodes of a kind."""
        self.pools |= dict.fromkeys((kind.cluster, chip) for chip in (None, *kind.group_of))


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a pass."""

    placed: tuple[tuple[GroupId, tuple[Allocation, ...]], ...]
    """Who has a place, with what each rank holds."""
    evicted: tuple[Evicted, ...]
    """Who is stopped, and for whom."""
    resized: tuple[Resized, ...]
    """Who goes on with fewer workers, and for whom."""

    @property
    def for_whom(self) -> list[GroupId]:
        """Those that others are stopped for, or give way to, each once."""
        stopped_for = [each.eviction.beneficiary for each in self.evicted]
        given_to = [each.given_to.beneficiary for each in self.resized if each.given_to is not None]
        return list(dict.fromkeys([*stopped_for, *given_to]))


def take_turns(state: SchedulerState, gained: Gained, rules: Rules, now: datetime) -> Taken:
    """Return who gets what, as the leader's next pass would decide it: what is promised stays so, nothing new is.

    The state is afterwards what it was before.
    """
    free = _free_milli(state)
    with Trial(state.ledger) as trial:
        promises = Promises.of(state, len(state.promised), NEVER_S)
        for each, why in promises.fallen(state, now):
            promises.drop(each, why)
        gained.pools |= dict.fromkeys(promises.given_back())
        keeping = Keeping(state, promises, trial.apply, now)
        is_on = rules.scope is not Scope.OFF
        evicting = Evicting(state, rules, Attempts(), keeping=keeping, apply=trial.apply, now=now) if is_on else None
        cycle = Cycle(state, trial.apply, now)
        asked = list(_may_gain(state, gained, keeping, cycle.numbers, free))
        if len(asked) > MOST_ASKED:
            asked = sorted(asked, key=keeping.turns.of)[:MOST_ASKED]
        contest = Contest(state, cycle, Sleepers(), keeping, evicting)
        decisions = list(contest.decide(dict.fromkeys(asked))) if asked else []
        placed = tuple((each.group, each.allocations) for each in decisions if isinstance(each, Placed))
    return Taken(
        placed,
        tuple(each for each in decisions if isinstance(each, Evicted)),
        tuple(each for each in decisions if isinstance(each, Resized)),
    )


def _free_milli(state: SchedulerState) -> Mapping[ChipName, int]:
    """Return how many thousandths of devices nobody holds on nodes that take work, kept ones included."""
    free: Counter[ChipName] = Counter()
    for count in state.tally.capacity():
        free[count.chip] += count.usable * WHOLE_DEVICE_MILLI
    for _, chip, _, held_milli in state.ledger.all_held():
        free[chip] -= held_milli
    return free


def _may_gain(
    state: SchedulerState, gained: Gained, keeping: Keeping, numbers: Numbers, free: Mapping[ChipName, int]
) -> Iterator[Class]:
    """Yield the classes that may have a place now, or somebody stopped for them: by the numbers alone."""
    classes = state.waiters.classes
    new = {found: None for group in gained.groups if (found := classes.of(group)) is not None}
    yield from new
    chips = {chip for _, chip in gained.pools if chip is None or free[chip] > 0}
    if not chips and not gained.queues:
        return
    room = _room_for(keeping, numbers)
    queues = {name for name in state.sharing.tree.queues if not gained.queues.keys().isdisjoint(_path(state, name))}
    for each in classes.all.values():
        request = each.asked.request
        if each not in new and (
            request.queue in queues
            or (
                not chips.isdisjoint(request.chips)
                and any(all(milli <= free[chip] for chip, milli in one.devices_milli) for one in request.options)
                and numbers.allow(request, room)
            )
        ):
            yield each


def _path(state: SchedulerState, queue: QueueName) -> tuple[QueueName, ...]:
    return state.sharing.book.path(queue)


def _room_for(keeping: Keeping, numbers: Numbers) -> RoomFor:
    """Return how many workers fit of something, with all that is kept for somebody open to everybody."""
    known: dict[LacksRoom, int] = {}

    def room(lack: LacksRoom, request: GangRequest) -> int:
        found = known.get(lack)
        if found is None:
            more = keeping.room_in(keeping.standing, lack.pool, lack.demand)
            found = known[lack] = numbers.room(lack, request) + more
        return found

    return room
