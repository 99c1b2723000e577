"""Now on a mix, or later on one chip type: which of them is over first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.plan import Plan
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.job import AnyOf, CommandProgram, Job, JobKind, JobSpec
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, UnknownStart
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.services.follow_changes import FollowedState
from scheduler.services.planning.asked import Asked, Finish
from scheduler.services.planning.offer import offers_of
from scheduler.services.planning.problems import question_of, with_pools
from scheduler.services.questions.forecasting import Forecaster

Planned = Callable[[Problem], Plan | None]


class Waiting:
    """Compares a plan on what is free with plans on one chip type that may have to be waited for."""

    def __init__(
        self, followed: FollowedState, clock: Clock, identifiers: IdentifierSource, forecaster: Forecaster
    ) -> None:
        self._followed = followed
        self._clock = clock
        self._identifiers = identifiers
        self._forecaster = forecaster

    def compared(self, asked: Asked, problem: Problem, best: Plan, planned: Planned) -> tuple[Finish, ...]:
        """Return when the training would be over by the best plan now, and on each one chip type, first over first.

        On one chip type it may have as many devices as the best plan has, or as are free of it, whichever is more.
        """
        now, steps = self._clock.now(), asked.steps or 0
        found = [_finish(best, None, steps, now)]
        is_mix = len({stage.chip for stage in best.stages}) > 1
        for pool in self._pools(asked):
            free = tuple(one for one in problem.pools if one.chip == pool.chip)
            devices = sum(one.chips for one in free)
            plan = planned(_with_at_most(with_pools(problem, asked, pool), max(best.devices, devices)))
            if plan is not None and plan.devices > devices:
                found.append(_finish(plan, self._start(asked.tenant, pool, plan.devices), steps, now))
            elif is_mix and (at_once := planned(with_pools(problem, asked, *free)) if free else None) is not None:
                found.append(_finish(at_once, None, steps, now))
        return tuple(sorted(found, key=lambda one: (one.latest is None, one.latest or now, one.chips)))

    def _pools(self, asked: Asked) -> list[ChipPool]:
        """Return the largest pool of each chip type, as though nothing ran."""
        with self._followed.hold() as state:
            offers = offers_of(state, asked.tenant, chips=asked.chips, cluster=asked.cluster, counts_held=True)
        pools = [pool for offer in offers for pool in question_of(asked, offer).problem.pools]
        largest: dict[ChipName, ChipPool] = {}
        for pool in pools:
            if pool.chip not in largest or pool.chips > largest[pool.chip].chips:
                largest[pool.chip] = pool
        return [largest[chip] for chip in sorted(largest)]

    def _start(self, tenant: TenantName | None, pool: ChipPool, devices: int) -> Estimate | NoEstimate:
        """Return when a gang would start that takes whole nodes of a pool; of nobody's gang that cannot be said."""
        now = self._clock.now()
        nobody_knows = NoEstimate(UnknownStart.NO_ROOM, now)
        if tenant is None:
            return nobody_knows
        workers = -(-devices // pool.chips_per_node)
        spec = JobSpec(
            name="plan",
            kind=JobKind.TRAINING,
            workers=workers,
            shape=WorkerShape(pool.chips_per_node, 1000, 1024),
            chips=AnyOf((pool.chip,)),
            program=CommandProgram(("true",)),
        )
        job = Job(self._identifiers.new_job_id(), tenant, spec, "plan", now)
        with self._followed.hold() as state:
            prospect = prospect_of(state, job, now)
        return self._forecaster.estimate_new(job, prospect) or nobody_knows


def _with_at_most(problem: Problem, devices: int) -> Problem:
    """Return the question with no more devices, and with no more than were allowed before."""
    allowed = problem.constraints.most_chips
    most = devices if allowed is None else min(devices, allowed)
    return replace(problem, constraints=replace(problem.constraints, most_chips=most))


def _finish(plan: Plan, starts: Estimate | NoEstimate | None, steps: int, now: datetime) -> Finish:
    took = timedelta(seconds=min(steps * plan.prediction.step_s, _LONGEST_S))
    chips = tuple(dict.fromkeys(stage.chip for stage in plan.stages))
    if isinstance(starts, NoEstimate):
        return Finish(chips, plan, starts, None, None)
    earliest, latest = (now, now) if starts is None else (starts.earliest, starts.latest)
    return Finish(chips, plan, starts, earliest + took, latest + took)


_LONGEST_S = 100 * 365 * 86_400.0
"""What takes longer is not told apart."""
