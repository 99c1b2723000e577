"""What would follow from suppositions: read off a state while it is held, to be compared once it is let go of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scheduler.core.advising.smallest_changes import other_chips
from scheduler.core.deciding.parts.live import going_of
from scheduler.core.deciding.prospect import Prospect, prospect_of
from scheduler.core.forecasting.scene import Scene, demands_of, line_up_first, look_for_rooms, take_scene
from scheduler.core.model.identifiers import job_named_by
from scheduler.core.model.job import AnyOf
from scheduler.core.supposing.rehearsal import Rehearsal
from scheduler.core.supposing.shares import QueueHas, what_queues_have
from scheduler.core.supposing.supposed import Gone, Shrunk, Supposed
from scheduler.core.supposing.turns import Taken, take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from scheduler.core.deciding.preempting.rules import Rules
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.asking.suppositions import Supposition
    from scheduler.core.model.identifiers import ChipName, GroupId, NodeId
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.queue import QueueName

MOST_LOOKED_AT = 512
"""Of so many who are first in the queue it is compared how long they wait."""
MOST_BEFORE = 8_192
"""When a job would start is told where no more come before it."""


@dataclass(slots=True)
class Moment:
    """A state as it is, or as it would be: all that is compared."""

    scene: Scene
    queues: Mapping[QueueName, QueueHas]
    usable: Mapping[ChipName, int]
    """Devices on nodes that take work."""


@dataclass(frozen=True, slots=True)
class JobTrial:
    """What would become of a job, and of the same job on one other chip type each."""

    job: Job
    prospect: Prospect
    others: tuple[tuple[Job, Prospect], ...]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What was read of a state."""

    now: datetime
    before: Moment | None
    """None where nothing but a job was asked about."""
    after: Moment
    taken: Taken
    gone: tuple[Gone, ...]
    shrunk: tuple[Shrunk, ...]
    drained: tuple[NodeId, ...]
    added: int
    waiting: int
    """How many gangs waited."""
    jobs: Mapping[GroupId, Job]
    """Of the gangs that would start."""
    trial: JobTrial | None


def rehearse(
    state: SchedulerState,
    suppositions: Sequence[Supposition],
    now: datetime,
    *,
    rules: Rules,
    job: Job | None = None,
) -> Rehearsed:
    """Try out what is supposed, and a job beside it; the state is afterwards what it was, also where this raises.

    Raises CannotSuppose, ContradictoryQuota, BadTree.
    """
    with Rehearsal(state, now) as rehearsal:
        before = _look(state, now, MOST_LOOKED_AT) if suppositions else None
        waiting = len(state.waiting)
        supposed = Supposed(state, rehearsal)
        taken = Taken((), (), ())
        if suppositions:
            supposed.suppose(suppositions)
            taken = take_turns(state, supposed.gained, rules, now)
            supposed.carry_out(taken)
        trial = None if job is None else _try(state, job, now)
        ahead = 0 if trial is None else min(trial.prospect.position, MOST_BEFORE)
        after = _look(state, now, max(MOST_LOOKED_AT if suppositions else 1, ahead))
        starting = {group: state.jobs[job_named_by(group)] for group in _starting(taken)}
    _let_run(after.scene, rehearsal, supposed, starting)
    if before is not None:
        after.scene.share_lengths(before.scene)
    return Rehearsed(
        now=now,
        before=before,
        after=after,
        taken=taken,
        gone=tuple(supposed.gone),
        shrunk=tuple(supposed.shrunk),
        drained=tuple(supposed.drained),
        added=supposed.added,
        waiting=waiting,
        jobs=starting,
        trial=trial,
    )


def _starting(taken: Taken) -> list[GroupId]:
    return [*(group for group, _ in taken.placed), *taken.for_whom]


def _look(state: SchedulerState, now: datetime, most: int) -> Moment:
    scene = take_scene(state, now)
    line_up_first(scene, state, most)
    look_for_rooms(scene, state, demands_of(scene))
    usable: dict[ChipName, int] = {}
    for count in sorted(state.tally.capacity(), key=lambda count: (count.chip, count.cluster)):
        usable[count.chip] = usable.get(count.chip, 0) + count.usable
    return Moment(scene, what_queues_have(state), usable)


def _let_run(scene: Scene, rehearsal: Rehearsal, supposed: Supposed, starting: Mapping[GroupId, Job]) -> None:
    """Let a scene be of those who run then: who was placed waits no more, nor who others are stopped or shrink for.

    Those have the devices of the others, which are gone in no time as forecasts go.
    """
    claimed = [
        replace(gone.live, job=starting[gone.beneficiary], since=scene.now, placed_at=scene.now)
        for gone in supposed.gone
        if gone.beneficiary is not None
    ]
    claimed += [
        replace(
            shrunk.live,
            attempt=going_of(shrunk.live.attempt),
            job=starting[shrunk.given_to.beneficiary],
            allocations=shrunk.gives,
            since=scene.now,
            placed_at=scene.now,
        )
        for shrunk in supposed.shrunk
    ]
    stays = [rehearsal.shrunk.get(live.attempt, live) for live in scene.live if live.attempt not in rehearsal.stopped]
    scene.live = (*stays, *rehearsal.placed.values(), *claimed)
    scene.waiters = tuple(waiter for waiter in scene.waiters if waiter.group.id not in starting)
    scene.kept = tuple(kept for kept in scene.kept if kept.kept.group not in starting)


def _try(state: SchedulerState, job: Job, now: datetime) -> JobTrial:
    """Say what would become of a job, and on which other chip type it would have a place."""
    others: list[tuple[Job, Prospect]] = []
    for chip in _other_chips(state, job):
        changed = replace(job, spec=replace(job.spec, chips=AnyOf((chip,))))
        others.append((changed, prospect_of(state, changed, now)))
    return JobTrial(job, prospect_of(state, job, now), tuple(others))


def _other_chips(state: SchedulerState, job: Job) -> list[ChipName]:
    """Return the chip types that a job does not accept yet, those that are worth most first."""
    accepted = job.spec.chips
    if not isinstance(accepted, AnyOf) or not accepted.chips or job.spec.roles or job.spec.alternatives:
        return []
    return other_chips(state, accepted.chips)
