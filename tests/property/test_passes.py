from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.decision import Placed, Refused
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import Fair, LeastAttained, PolicyName, ShortestFirst, policy_of
from tests.builders import strategies as some
from tests.builders.core import NOON, World, make_state, seconds_after_noon
from tests.oracle.decisions import decide, spelt_out
from tests.property.test_state import worlds


@some.fixed(60)
@given(worlds())
def test_passes_decide_what_a_look_at_all_who_wait_decides_and_what_was_not_done_is_decided_again(world: World) -> None:
    state, passes = SchedulerState(), Passes(most_promises=0)
    for change in world.changes:
        state.apply(change)
        now = seconds_after_noon(400 * change.number)
        want = [decision for decision in decide(state, now) if isinstance(decision, Placed | Refused)]
        got = passes.decide(state, now)
        assert spelt_out(got) == spelt_out(want)
        passes.take_back(got)


ORDERINGS = [
    *(Ordering(policy_of(name)) for name in PolicyName),
    Ordering(Fair(half_life_s=0.0), ageing_s=0.0),
    Ordering(Fair(half_life_s=300.0)),
    Ordering(LeastAttained(levels_s=(60.0, 600.0), patience_s=2_000.0)),
    Ordering(ShortestFirst(times_devices=True, patience_s=2_000.0)),
]


@some.fixed(80)
@given(worlds(), st.sampled_from(ORDERINGS))
def test_passes_decide_so_by_every_policy_also_where_they_look_seldom(world: World, ordering: Ordering) -> None:
    state, passes = SchedulerState(), Passes(most_promises=0)
    state.reorder(ordering)
    for change in world.changes:
        state.apply(change)
        now = seconds_after_noon(400 * change.number)
        if change.number % 2 == 0:
            want = [decision for decision in decide(state, now) if isinstance(decision, Placed | Refused)]
            got = passes.decide(state, now)
            assert spelt_out(got) == spelt_out(want)
            passes.take_back(got)


@some.fixed(60)
@given(some.nodes(), some.jobs(), some.quotas, st.sampled_from(ORDERINGS), st.randoms(use_true_random=False))
def test_in_which_order_jobs_became_known_decides_nothing(
    nodes: list[Node], jobs: list[Job], quotas: tuple[QueueQuota, ...], ordering: Ordering, random: Random
) -> None:
    shuffled = list(jobs)
    random.shuffle(shuffled)
    known, other = (
        make_state(*nodes, jobs=tuple(those), quotas=quotas, ordering=ordering) for those in (jobs, shuffled)
    )
    assert spelt_out(Passes().decide(known, NOON)) == spelt_out(Passes().decide(other, NOON))


@some.fixed(60)
@given(worlds())
def test_passes_that_look_seldom_miss_nothing(world: World) -> None:
    state, passes = SchedulerState(), Passes(most_promises=0)
    for change in world.changes:
        state.apply(change)
        now = seconds_after_noon(400 * change.number)
        if change.number % 3 == 0:
            want = [decision for decision in decide(state, now) if isinstance(decision, Placed | Refused)]
            got = passes.decide(state, now)
            assert spelt_out(got) == spelt_out(want)
            passes.take_back(got)
