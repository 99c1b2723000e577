"""Whoever can run at all starts in bounded time, however many others come and however urgent these are."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.passes import Passes
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import RetryRule, apply_event
from scheduler.core.model.change import ChangeBody, GroupMoved, GroupPlaced, JobSubmitted
from scheduler.core.model.decision import Evicted, Placed
from scheduler.core.model.group import Group, StopReason
from scheduler.core.model.job import Job
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import Fair, Fifo, LeastAttained, ShortestFirst
from tests.builders import strategies as some
from tests.builders.core import as_change, make_group, make_job, make_node, make_state, seconds_after_noon

TICK_S = 10
LONGEST_S = 60
BOUND_S = 2_000
ORDERINGS = (
    Ordering(Fair(half_life_s=600.0), ageing_s=10.0),
    Ordering(Fair(half_life_s=0.0), ageing_s=10.0),
    Ordering(Fifo(), ageing_s=10.0),
    Ordering(LeastAttained(patience_s=600.0), ageing_s=10.0),
    Ordering(ShortestFirst(patience_s=600.0), ageing_s=10.0),
)


class Busy:
    """A cluster of eight devices on which more is asked for than there is, all the time."""

    def __init__(self, ordering: Ordering, random: Random) -> None:
        self.state = make_state(make_node("a", {"h100": 4}), make_node("b", {"h100": 4}), ordering=ordering)
        self.passes = Passes(reserve_after_s=30.0)
        self.random = random
        self.numbers = iter(range(2, 1_000_000))
        self.ends: dict[str, float] = {}
        self.now_s = 0.0

    def tell(self, body: ChangeBody) -> None:
        self.state.apply(replace(as_change(body), at=seconds_after_noon(self.now_s)))

    def submit(self, job: Job) -> None:
        self.tell(JobSubmitted(job, (make_group(job),)))

    def others(self) -> None:
        """Let three urgent small jobs come, of any tenant."""
        for _ in range(3):
            job = make_job(
                next(self.numbers),
                workers=self.random.choice((1, 2, 4)),
                tenant=self.random.choice(("alpha", "beta", "gamma")),
                priority=self.random.randint(0, 5),
                submitted_at=seconds_after_noon(self.now_s),
            )
            limit = self.random.choice((None, LONGEST_S))
            self.submit(replace(job, spec=replace(job.spec, time_limit_s=limit, grace_s=0)))

    def tick(self) -> set[str]:
        """Let some time pass; return the jobs that were placed."""
        self.now_s += TICK_S
        for attempt, end_s in sorted(self.ends.items()):
            if end_s <= self.now_s:
                del self.ends[attempt]
                self._move(self.state.live[attempt].group, Event.ALL_SUCCEEDED, Event.GONE)
        self.others()
        decisions = self.passes.decide(self.state, seconds_after_noon(self.now_s))
        for stopped in [one for one in decisions if isinstance(one, Evicted)]:
            del self.ends[stopped.attempt]
            self._move(self.state.live[stopped.attempt].group, Event.STOP, Event.GONE)
        placed = [one for one in decisions if isinstance(one, Placed)]
        for one in placed:
            group = apply_event(self.state.groups[one.group], Event.PLACE, rule=RetryRule(0), now=seconds_after_noon(0))
            assert isinstance(group, Group)
            self.tell(GroupPlaced(group, one.attempt, one.allocations, one.notes, stop_by=one.stop_by))
            self.ends[one.attempt] = self.now_s + self.random.randint(TICK_S, LONGEST_S)
            self._move(group, Event.WORKERS_CREATED, Event.ALL_READY)
        self.passes.take_back([])
        return {self.state.groups[one.group].job_id for one in placed}

    def _move(self, group: Group, *events: Event) -> None:
        for event in events:
            reason = StopReason.PREEMPTED if event is Event.STOP else None
            after = apply_event(group, event, reason=reason, rule=RetryRule(0), now=seconds_after_noon(0))
            if isinstance(after, Group):
                group = after
                self.tell(GroupMoved(group, group.latest_attempt))


@some.fixed(12)
@given(st.sampled_from(ORDERINGS), st.integers(0, 1_000_000), st.sampled_from(("alpha", "delta")))
def test_a_job_that_needs_all_there_is_starts_in_bounded_time_behind_smaller_and_more_urgent_ones(
    ordering: Ordering, seed: int, tenant: str
) -> None:
    busy = Busy(ordering, Random(seed))
    for _ in range(5):
        busy.tick()
    large = make_job(1, workers=8, tenant=tenant, priority=-5, submitted_at=seconds_after_noon(busy.now_s))
    busy.submit(large)
    began_s = busy.now_s
    while large.id not in busy.tick():
        assert busy.now_s - began_s < BOUND_S
