"""Who may use room that is kept, for it is gone in time: by its limit, or as is learnt, and else it is stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.deciding.parts.losses import evicted_for
from scheduler.core.ledger.trial import Trial
from scheduler.core.model.decision import Evicted
from scheduler.core.model.identifiers import job_named_by
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.queueing.run_times import ENOUGH, Likeness

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from scheduler.core.deciding.backfilling.reservations import Reservation
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import AttemptId, ChipName
    from scheduler.core.model.job import Job

STARTING_S = 60.0
"""What is learnt is how long jobs ran: until one runs, this much may pass."""
SEEING_OFF_S = 15.0
"""Beside its grace it takes so long until what was stopped is proven gone."""
MOST_DOUBLINGS = 6
"""Of a gang that was preempted before it is taken that it stays twice as long as is learnt for each time, so often."""
LOOK_AGAIN_S = 60.0
"""Whose time is up while nobody needs its room is looked at again after so long."""
_CLOSE = frozenset({Likeness.SAME_SHAPE, Likeness.SAME_NAME})
"""What is known of others of its user or tenant alone says too little of a job."""


def stay_s(job: Job, preemptions: int, state: SchedulerState) -> float | None:
    """Return for how long a gang needs its room at most, with its grace; None where nobody knows.

    An enforced limit says so for certain. Else nine in ten of the jobs like it say it, if the job may be stopped: for
    then it is, before anybody's reservation begins on whose room it is.
    """
    spec = job.spec
    limit_s = None if spec.time_limit_s is None else float(spec.time_limit_s + spec.grace_s)
    learnt_s = _learnt_stay_s(job, preemptions, state)
    if learnt_s is None or limit_s is None:
        return limit_s if learnt_s is None else learnt_s
    return min(limit_s, learnt_s)


class Stays:
    """How long gangs stay at most: worked out once for those that are alike, for one moment."""

    def __init__(self, state: SchedulerState) -> None:
        self._state = state
        self._known: dict[object, float | None] = {}

    def of(self, group: Group) -> float | None:
        """Return what `stay_s` does of a group that waits."""
        job = self._state.jobs[group.job_id]
        spec = job.spec
        alike = (job.tenant, job.submitted_by, spec.name, spec.time_limit_s, spec.grace_s, spec.workers, spec.shape)
        key = (*alike, spec.chips, spec.roles, group.preemptions, spec.preemptible)
        if key not in self._known:
            self._known[key] = stay_s(job, group.preemptions, self._state)
        return self._known[key]


def _learnt_stay_s(job: Job, preemptions: int, state: SchedulerState) -> float | None:
    spec = job.spec
    if not state.order.ordering.stops_overtakers or not spec.preemptible or spec.serves:
        return None
    learnt = state.run_times.expect(job)
    if learnt is None or learnt.runs < ENOUGH or learnt.likeness not in _CLOSE:
        return None
    doubled = 2.0 ** min(preemptions, MOST_DOUBLINGS)
    return STARTING_S + learnt.most_s * doubled + spec.grace_s + SEEING_OFF_S


def must_stop_by(job: Job, begins: datetime) -> datetime:
    """Return when a job has to be stopped so that it is gone before something begins: in whole seconds."""
    return (begins - timedelta(seconds=job.spec.grace_s + SEEING_OFF_S)).replace(microsecond=0)


def stop_by(job: Job, now: datetime, overtaken: Iterable[Reservation]) -> datetime | None:
    """Return by when a job is to be stopped that takes of what some reservations keep; None: its limit sees to it."""
    limit_s = job.spec.time_limit_s
    certain = None if limit_s is None else now + timedelta(seconds=limit_s + job.spec.grace_s)
    begins = [each.begins for each in overtaken if certain is None or certain > each.begins]
    return must_stop_by(job, min(begins)) if begins else None


class Overtakers:
    """The attempts that run on room that is kept for others: who of them is to be stopped now, and when the next one.

    It remembers when it looked in vain alone, so that nothing is lost with it.
    """

    def __init__(self) -> None:
        self._again: dict[AttemptId, datetime] = {}

    def next_due(self, state: SchedulerState) -> datetime | None:
        """Return when somebody's time is up, or is to be looked at again."""
        return min((max(at, self._again.get(name, at)) for name, at in state.overtakers.items()), default=None)

    def up(
        self, state: SchedulerState, kept: Iterable[Reservation], now: datetime, besides: Collection[AttemptId] = ()
    ) -> list[Evicted]:
        """Return whom to stop now, for somebody needs the room that it overtook on; `besides` those stopped anyway.

        `kept` are the reservations that stand, those first that begin first. The state is left as it was.
        """
        self._again = {name: at for name, at in self._again.items() if name in state.overtakers}
        due = [
            state.live[name]
            for name, at in sorted(state.overtakers.items())
            if max(at, self._again.get(name, at)) <= now and name not in besides
        ]
        if not due:
            return []
        standing, needed = list(kept), []
        with Trial(state.ledger) as trial:
            lacking: dict[Reservation, Mapping[NodeEntry, frozenset[str]]] = {}
            for each in standing:
                lacking[each] = _lacking(state, each)
                trial.apply(each.set_aside(state.ledger))
            for live in due:
                who = [each for each in standing if _is_needed(state, live, each, lacking[each])]
                first = min(who, key=lambda each: (each.begins, each.group), default=None)
                if first is None:
                    self._again[live.attempt] = now + timedelta(seconds=LOOK_AGAIN_S)
                elif must_stop_by(live.job, first.begins) > now:
                    self._again[live.attempt] = must_stop_by(live.job, first.begins)
                else:
                    whose = state.jobs[job_named_by(first.group)]
                    needed.append(evicted_for(live, first.group, whose, EvictionCause.TIME_UP, now))
        return needed


def _lacking(state: SchedulerState, kept: Reservation) -> dict[NodeEntry, frozenset[str]]:
    """Return of what some of a reservation's nodes have less than it needs, though all comes that it waits for."""
    found: dict[NodeEntry, frozenset[str]] = {}
    for entry, needs in kept.needs.items():
        left = entry.leftover
        free: dict[ChipName, int] = {chip: left.free[group] for chip, group in left.kind.group_of.items()}
        awaited = [gives for name, gives in kept.awaited.get(entry, {}).items() if state.ledger.has_hold(name)]
        of_node = {" cpu": left.cpu_milli, " memory": left.memory_mib, " pods": left.pods}
        lacks = {
            of: figure - sum(gives.get(of, 0) for gives in awaited) - (of_node | free).get(of, 0)
            for of, figure in needs.items()
        }
        if short := frozenset(of for of, figure in lacks.items() if figure > 0):
            found[entry] = short
    return found


def _is_needed(
    state: SchedulerState, live: LiveAttempt, kept: Reservation, lacking: Mapping[NodeEntry, frozenset[str]]
) -> bool:
    """Say whether a reservation waits for an attempt's end, or lacks what it holds."""
    if live.attempt in kept.waits_for:
        return True
    entries = state.ledger.inventory.entries
    return any(
        (short := lacking.get(entries[held.node])) is not None
        and any(of.startswith(" ") or of == held.chip for of in short)
        for held in live.held
    )
