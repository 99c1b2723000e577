"""Plan a training on what is free now, from the followed state, which stays as it is."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.profiles import Profiles
from scheduler.core.mixing.chips import Unusable
from scheduler.core.mixing.known_plans import KnownPlans
from scheduler.core.mixing.plan import Plan, Transport
from scheduler.core.mixing.search.building import fits, has_places
from scheduler.core.mixing.search.finding import best_plans, confirmed, leads, repredicted
from scheduler.core.mixing.search.found import Bad, BadProblem, Found, NoPlanError, NoPrecision, Refusal
from scheduler.core.model.measuring.throughput import JobFamily
from scheduler.services.follow_changes import FollowedState
from scheduler.services.planning.asked import MOST_PLANS, Answered, Asked, Faster, Finish, Help, UnknownName
from scheduler.services.planning.offer import Offer, offers_of
from scheduler.services.planning.problems import (
    NO_PROFILES,
    Question,
    question_of,
    with_direct_links,
    with_even_batch,
    with_faster_networks,
    with_nodes,
)
from scheduler.services.planning.telling import told
from scheduler.services.planning.trying import trial_of
from scheduler.services.planning.waiting import Waiting

logger = logging.getLogger(__name__)

WORTH_TELLING = 0.01
"""What would save no larger part of the time is not told."""
MOST_LOST = 2
"""Plans are ready for the loss of so many nodes of each pool."""
TWICE = 2.0
NOTHING_OFFERED = Offer("", ())


@dataclass(frozen=True, slots=True)
class _Best:
    """The cluster whose best plan is the best, and all that was left out anywhere."""

    question: Question
    found: Found | None
    refusal: Refusal | None
    was_known: bool


class TrainingPlanner:
    """Answers one question after the other, and remembers what it found. Safe to use from several threads."""

    def __init__(self, followed: FollowedState, waiting: Waiting | None = None, *, in_background: bool = True) -> None:
        """`waiting` says when a gang would start that has to wait; without it nothing is compared with waiting.

        `in_background`: plans for the loss of nodes are made ready once a question is answered.
        """
        self._followed = followed
        self._waiting = waiting
        self._known: KnownPlans[Found | Refusal] = KnownPlans(self._search)
        self._single: KnownPlans[Plan | None] = KnownPlans(_search_one)
        self._asking = threading.Lock()
        self._threads = ThreadPoolExecutor(1, "planning") if in_background else None
        self._readying: Future[None] | None = None

    def close(self) -> None:
        """Make nothing ready any more."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def finish_readying(self) -> None:
        """Return once what is being made ready is there."""
        if self._readying is not None:
            self._readying.result()

    def is_ready_for(self, problem: Problem) -> bool:
        """Say whether the best plan for a question is there without a search."""
        return problem in self._known or problem in self._single

    def plan(self, asked: Asked) -> Answered:
        """Return the best plans on what is free now, or why there is none. Raises UnknownName, StorageUnavailable."""
        self._followed.follow()
        with self._followed.hold() as state:
            named = dict.fromkeys((*(asked.chips or ()), *asked.stated.flops_per_s))
            if unknown := [chip for chip in named if chip not in state.chips]:
                raise UnknownName("chip type", unknown, sorted(state.chips))
            if asked.cluster is not None and asked.cluster not in state.clusters:
                raise UnknownName("cluster", [asked.cluster], sorted(state.clusters))
            profiles = _profiles_of(state, asked)
            offers = offers_of(state, asked.tenant, chips=asked.chips, cluster=asked.cluster)
            change, age_s = self._followed.change, self._followed.age_s
        with self._asking:
            best = self._best_of([question_of(asked, offer, profiles) for offer in offers or [NOTHING_OFFERED]])
            problem, found = best.question.problem, best.found
            plans = () if found is None else found.plans
            answer = Answered(
                plans=tuple(told(problem, plan) for plan in plans[: asked.plans]),
                refusal=best.refusal,
                why=None if found is None or asked.plans == 1 else found.why,
                comparisons=() if found is None else found.comparisons,
                faster=() if found is None else tuple(self._faster(problem, found.plans[0])),
                finishes=self._finishes(asked, problem, found),
                earlier=_as_it_would_be(asked, problem),
                trial=trial_of(plans[: asked.plans], asked.tried),
                offered=problem.pools,
                left_out=best.question.left_out,
                profiles_used=len(problem.profiles.layers),
                was_known=best.was_known,
                change=change,
                age_s=age_s,
            )
        if found is not None:
            self._ready(problem, found.plans[0])
        return answer

    def _best_of(self, questions: list[Question]) -> _Best:
        """Return the cluster with the shortest step; of clusters without a plan that with most compute."""
        questions.sort(key=lambda one: -sum(pool.chips * pool.flops_per_s for pool in one.problem.pools))
        tried = [self._tried(question) for question in questions]
        with_plan = [one for one in tried if one.found is not None]
        best = min(with_plan, key=lambda one: _step_s(one.found), default=tried[0])
        left_out = tuple(left for question in questions for left in question.left_out)
        return replace(best, question=Question(best.question.problem, left_out))

    def _tried(self, question: Question) -> _Best:
        was_known = question.problem in self._known
        said = self._known.ask(question.problem)
        if isinstance(said, Found):
            return _Best(question, said, None, was_known)
        return _Best(question, None, _why(said, question), was_known)

    def _faster(self, problem: Problem, best: Plan) -> list[Faster]:
        """Return what would make the training faster, that which helps most first."""
        tried: list[tuple[Help, str | None, Problem | None]]
        tried = [(Help.NODE, pool.name, with_nodes(problem, pool.name, 1)) for pool in problem.pools]
        tried += [(help_by, None, otherwise) for help_by, otherwise in _otherwise(problem, best)]
        batch = problem.training.global_batch
        found = []
        for help_by, pool, other in tried:
            plan = None if other is None else self._plan_or_none(other)
            if other is not None and plan is not None:
                wanted = other.training.global_batch
                found.append(Faster(help_by, pool, None if wanted == batch else wanted, plan))
        worth = [one for one in found if one.token_part(best) > WORTH_TELLING]
        return sorted(worth, key=lambda one: (-one.token_part(best), one.help, one.pool or ""))

    def _plan_or_none(self, problem: Problem) -> Plan | None:
        """Return the best plan alone, which takes a part of the time that a whole answer does."""
        said = self._known.known(problem)
        if said is None:
            return self._single.ask(problem)
        return said.plans[0] if isinstance(said, Found) else None

    def _finishes(self, asked: Asked, problem: Problem, found: Found | None) -> tuple[Finish, ...]:
        if asked.steps is None or found is None or self._waiting is None:
            return ()
        return self._waiting.compared(asked, problem, found.plans[0], self._plan_or_none)

    def _ready(self, problem: Problem, best: Plan) -> None:
        """Let plans be made for the loss of one and two nodes of each pool, unless others are being made."""
        if self._threads is not None and (self._readying is None or self._readying.done()):
            self._readying = self._threads.submit(self._ready_for_losses, problem, best)
            self._readying.add_done_callback(_log_failure)

    def _ready_for_losses(self, problem: Problem, best: Plan) -> None:
        for fewer in losses_of(problem):
            if fewer not in self._single:
                plan = _search_one(fewer, best)  # nobody who asks waits for this
                with self._asking:
                    self._single.keep(fewer, plan)

    def _search(self, problem: Problem, before: Found | Refusal | None) -> Found | Refusal:
        near = self._single.known(problem) or (before.plans[0] if isinstance(before, Found) else None)
        try:
            return best_plans(problem, most=MOST_PLANS, known=near)
        except NoPlanError as error:  # to say why there is none takes longer than a plan: it is remembered as well
            return error.refusal


def _log_failure(readying: Future[None]) -> None:
    """Tell of what went wrong where nobody waits for the result."""
    if not readying.cancelled() and (error := readying.exception()) is not None:
        logger.error("plans for the loss of nodes could not be made ready", exc_info=error)


def _otherwise(problem: Problem, best: Plan) -> Iterator[tuple[Help, Problem | None]]:
    """Yield what else could be otherwise, where it can matter to a plan."""
    if len(best.stages) > 1 or best.data_parallel > 1:
        yield Help.NETWORK, with_faster_networks(problem, TWICE)
    if any(boundary.transport is Transport.HOST for boundary in best.boundaries):
        yield Help.DIRECT, with_direct_links(problem)
    yield Help.BATCH, with_even_batch(problem)


def losses_of(problem: Problem) -> list[Problem]:
    """Return the question as it would be without one and two nodes of each pool."""
    fewer = (with_nodes(problem, pool.name, -lost) for pool in problem.pools for lost in range(1, MOST_LOST + 1))
    return [one for one in fewer if one is not None]


def _search_one(problem: Problem, near: Plan | None) -> Plan | None:
    try:
        return confirmed(problem, leads(problem, known=near), 1)[0]
    except NoPlanError:
        return None


def _profiles_of(state: SchedulerState, asked: Asked) -> Profiles:
    if asked.family is None or asked.tenant is None:
        return NO_PROFILES
    return state.speeds.layers.of(JobFamily(asked.tenant, asked.family))


def _step_s(found: Found | None) -> float:
    return float("inf") if found is None else found.plans[0].prediction.step_s


def _as_it_would_be(asked: Asked, problem: Problem) -> Plan | None:
    """Return an earlier plan as it would be on what is free now; None where it has no place any more."""
    if asked.earlier is None or asked.earlier.training != asked.training:
        return None
    try:
        plan = repredicted(problem, asked.earlier.plan)
    except KeyError:
        return None
    return plan if fits(plan) and has_places(problem, plan) else None


def _why(refusal: Refusal, question: Question) -> Refusal:
    """Return why there is no plan; where no chip could take part for its precision, that."""
    if not (isinstance(refusal, BadProblem) and refusal.fault is Bad.NO_POOL and question.left_out):
        return refusal
    chips = tuple(dict.fromkeys(left.chip for left in question.left_out if left.why is Unusable.PRECISION))
    every = {left.chip for left in question.left_out}
    return NoPrecision(question.problem.training.precision, chips) if every == set(chips) else refusal
