"""Rounds on a state: at each edge it is worked out whose turn it is on which chip type, until the next one."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import group_id
from scheduler.core.model.job import AnyOf, Wish
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.queueing.dependencies import why_not_yet
from scheduler.core.queueing.dues.compute import LEAST_RATE, rates_of
from scheduler.core.queueing.dues.shares import shares_due
from scheduler.core.queueing.rounds.allocating import Runner, allocate
from scheduler.core.queueing.rounds.assigning import Standing, assign
from scheduler.core.queueing.rounds.edges import edge_of
from scheduler.core.queueing.run_times import family_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.deciding.state import SchedulerState
    from scheduler.core.model.group import Group
    from scheduler.core.model.identifiers import ChipName, GroupId, JobId
    from scheduler.core.model.job import Job, JobSpec
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.queueing.policies.policy import RoundByRound

MOST_PLANNED = 2_048
"""So many jobs that wait have a part in a round, the oldest first, and as many that run; others run on or wait on."""
SHORTEST_GUESS_S = 600.0
"""A job of which nothing is known runs for at least so long still, and for as long again as it has."""
PRIORITY_DOUBLES = 25
"""So many points of priority make a job due twice as much."""
MOST_DOUBLINGS = 20
"""After so many interruptions a job that saves nothing is left alone for years."""


def takes_turns(spec: JobSpec) -> bool:
    """Say whether rounds decide where jobs run that ask for this: trainings of one role, on any of some chip types."""
    plain = isinstance(spec.chips, AnyOf) and bool(spec.chips.chips) and not spec.roles and not spec.alternatives
    return plain and not spec.serves and spec.limited_array is None and spec.shape.devices_milli > 0


class Rounds:
    """Whose turn it is in the round that goes on. Before the first edge it is nobody's."""

    def __init__(self, policy: RoundByRound) -> None:
        self.policy = policy
        self.edge: datetime | None = None
        """When the round began."""
        self.turns: dict[JobId, ChipName] = {}
        """Where jobs are to run in it."""
        self.narrowed: dict[JobId, ChipName] = {}
        """Those of them that wait, and may run nowhere else in this round."""
        self.moving: tuple[JobId, ...] = ()
        """Those that run elsewhere than where they are to."""

    def is_over(self, at: datetime) -> bool:
        """Say whether at a moment another round begins."""
        return self.edge is None or edge_of(at, self.policy.round_s) > self.edge

    def has_turn(self, job: Job) -> bool:
        """Say whether a job may be placed before those whose turn comes later."""
        return job.id in self.turns or not takes_turns(job.spec)

    def next_edge(self, state: SchedulerState) -> datetime | None:
        """Return when the next round begins; None where nothing could come of it."""
        if self.edge is None or not (state.live or self.narrowed):
            return None
        return self.edge + timedelta(seconds=self.policy.round_s)

    def may_yield(self, live: LiveAttempt, now: datetime) -> bool:
        """Say whether an attempt may be stopped for one whose turn it is: it is not its own turn where it runs."""
        return self._is_movable(live, now) and self.turns.get(live.job.id) != _chip_of(live)

    def begin(self, state: SchedulerState, at: datetime) -> None:
        """Work out whose turn it is from the edge before a moment on: the same for the same state, whoever does."""
        edge = edge_of(at, self.policy.round_s)
        missed = {group.job_id for group in state.waiting.values() if group.job_id in self.turns}
        self.edge = edge
        chips = sorted({count.chip for count in state.tally.capacity()})
        capacity = {chip: float(state.tally.usable(chip)) for chip in chips}
        running: dict[JobId, LiveAttempt] = {}
        for name in sorted(state.live):
            live = state.live[name]
            if len(running) < MOST_PLANNED and self._is_movable(live, edge):
                running[live.job.id] = live
            elif live.group.state is not State.STOPPING:
                for held in live.held:
                    if held.chip is not None:
                        capacity[held.chip] = capacity.get(held.chip, 0.0) - held.devices_milli / WHOLE_DEVICE_MILLI
        waiting = sorted(group.job_id for group in self._waiting(state, edge))[:MOST_PLANNED]
        jobs = [state.jobs[name] for name in sorted({*waiting, *running})]
        weights = _weights(state, jobs)
        runners, standings = [], {}
        for job in jobs:
            runner = self._runner(state, job, running.get(job.id), weights[job.queue])
            if runner is not None:
                runners.append(runner)
                standings[job.id] = self._standing(state, job, running.get(job.id), runner)
        there = {chip: devices for chip, devices in capacity.items() if devices > 0}
        allocation = allocate(runners, there, self.policy.goal)
        self.turns = assign(runners, there, allocation, standings)
        self.moving = tuple(
            name for name, live in sorted(running.items()) if self.turns.get(name, _chip_of(live)) != _chip_of(live)
        )
        self.narrowed = {name: chip for name, chip in self.turns.items() if name not in missed}

    def _waiting(self, state: SchedulerState, edge: datetime) -> Iterator[Group]:
        """Yield the groups that may have a turn: those that wait, and those that are about to wait again."""
        for group in state.waiting.values():
            job = state.jobs[group.job_id]
            held_up = not group.attempts and bool(job.spec.after) and bool(why_not_yet(job, state.dependents.arrays))
            is_late = group.not_before is not None and group.not_before > edge
            if job.wish is Wish.RUN and takes_turns(job.spec) and not held_up and not is_late:
                yield group
        for name in state.losses.stopping:
            live = state.live[name]
            is_back = live.group.stop_reason is StopReason.PREEMPTED and live.job.wish is Wish.RUN
            if is_back and takes_turns(live.job.spec):
                yield live.group

    def _is_movable(self, live: LiveAttempt, at: datetime) -> bool:
        """Say whether an attempt may be stopped: it is allowed to be, runs as one, and has run for long enough.

        One that has saved nothing is left alone for twice as long after each time, without an end: so it comes to its
        own however long it takes.
        """
        policy, spec = self.policy, live.job.spec
        if not (policy.moves_running and spec.preemptible and takes_turns(spec)) or live.resizing.surplus:
            return False
        if live.group.state is not State.RUNNING or live.is_resizing:
            return False
        least_s = policy.least_run_s
        if live.checkpoint is None:
            least_s = max(least_s, policy.round_s * (2 ** min(live.group.preemptions, MOST_DOUBLINGS) - 1))
        return live.since + timedelta(seconds=least_s) <= at

    def _runner(self, state: SchedulerState, job: Job, live: LiveAttempt | None, weight: float) -> Runner | None:
        chips = job.spec.chips.chips if isinstance(job.spec.chips, AnyOf) else ()
        on = None if live is None else _chip_of(live)
        speeds = speeds_on(state, job, [chip for chip in chips if chip == on or self._fits(state, job, chip)])
        if not speeds:
            return None
        held_s, _ = state.order.service.of(_first_id(job))
        expected_s = state.order.expected_run_s(job)
        if live is not None:
            held_s += self._since_s(live.held_since)
        remaining_s = max(SHORTEST_GUESS_S, held_s) if expected_s is None else max(1.0, expected_s - held_s)
        if live is not None:
            cost_s = self.policy.restart_s + (self._since_s(live.since) if live.checkpoint is None else 0.0)
            stays = remaining_s / (remaining_s + cost_s)
            speeds = {chip: speed * (1.0 if chip == on else stays) for chip, speed in speeds.items()}
        milli = job.spec.workers * job.spec.shape.devices_milli
        if live is not None:
            milli = sum(held.devices_milli for held in live.held)
        return Runner(
            job.id,
            milli / WHOLE_DEVICE_MILLI,
            tuple(sorted(speeds.items())),
            remaining_s,
            weight * 2.0 ** (job.spec.priority / PRIORITY_DOUBLES),
            is_overdue=live is None and 0 < self.policy.patience_s <= self._since_s(job.submitted_at),
        )

    def _standing(self, state: SchedulerState, job: Job, live: LiveAttempt | None, runner: Runner) -> Standing:
        """Return what a job had, with the round to come: so that each next turn is a little harder to get."""
        round_s = self.policy.round_s
        age_s = max(round_s, self._since_s(job.submitted_at))
        on = None if live is None else _chip_of(live)
        now_s = 0.0 if live is None else self._since_s(live.held_since)
        service, group = state.order.service, _first_id(job)
        had_s = {chip: service.seconds_on(group, chip) + (now_s if chip == on else 0.0) for chip, _ in runner.speeds}
        return Standing({chip: (seconds + round_s) / age_s for chip, seconds in had_s.items()}, on)

    def _fits(self, state: SchedulerState, job: Job, chip: ChipName) -> bool:
        """Say whether a job would have a place on a chip type if nothing ran."""
        return not state.requests.why_never_on(job, chip)

    def _since_s(self, moment: datetime) -> float:
        return 0.0 if self.edge is None else max(0.0, (self.edge - moment).total_seconds())


def speeds_on(state: SchedulerState, job: Job, chips: list[ChipName]) -> dict[ChipName, float]:
    """Return how fast a job is on each of some chip types, as ratios: as was measured of its family, else by rates.

    Where its family was measured on some of them only, the others are as much faster as their rate is higher.
    """
    rates = rates_of(state.chips.values())
    measured = {chip: units for chip, units in state.speeds.measured(family_of(job)).items() if units > 0}
    ratios = [units / rates.get(chip, LEAST_RATE) for chip, units in measured.items()]
    scale = sum(ratios) / len(ratios) if ratios else 1.0
    return {chip: measured.get(chip, rates.get(chip, LEAST_RATE) * scale) for chip in chips}


def _weights(state: SchedulerState, jobs: list[Job]) -> Mapping[QueueName, float]:
    """Return what one job of each queue is due: the queue's due, divided among those of it that take turns."""
    counts = Counter(job.queue for job in jobs)
    due = shares_due(state.sharing.tree)
    return {queue: due.get(queue, 1.0) / count for queue, count in counts.items()}


def _first_id(job: Job) -> GroupId:
    return group_id(job.id, 0)


def _chip_of(live: LiveAttempt) -> ChipName | None:
    return live.allocations[0].chip
