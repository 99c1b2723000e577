"""Elastic jobs give way: what they can do without goes to whoever has a better right, before anybody is stopped."""

from dataclasses import replace

from scheduler.core.deciding.elastic.giving import smaller
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.model.change import ChipDefined
from scheduler.core.model.decision import Evicted, ResizeCause, Resized
from scheduler.core.model.group import State
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.sharing.queue import COMPUTE, QueueQuota
from tests.builders.core import make_group, make_job, make_node, make_shape
from tests.builders.database import make_chip
from tests.builders.preempting import Contended, elastic, evicted, given, placed

GROWS_AFTER_S = 130


def name(job: Job) -> str:
    return make_group(job).id


def full(
    *jobs: Job,
    nodes: tuple[Node, ...] = (make_node("n1"),),
    rules: Rules | None = None,
    quotas: tuple[QueueQuota, ...] = (),
) -> Contended:
    """Return a cluster on which jobs run, long enough to be asked for something."""
    cluster = Contended(*nodes, rules=rules, quotas=quotas)
    cluster.run(*jobs)
    assert not cluster.in_state(State.QUEUED)
    cluster.wait(100)
    return cluster


def grown(job: Job, *, beside: Job, rules: Rules | None = None, quotas: tuple[QueueQuota, ...] = ()) -> Contended:
    """Return a cluster on which a job took what another one left."""
    cluster = Contended(make_node("n1"), rules=rules, quotas=quotas)
    cluster.run(beside)
    cluster.run(job)
    small = cluster.workers(job)
    cluster.end(beside)
    cluster.wait(GROWS_AFTER_S)
    cluster.decide()
    assert cluster.workers(job) > small
    cluster.wait(100)
    return cluster


def test_a_gang_of_higher_priority_gets_what_an_elastic_one_can_do_without_and_nobody_is_stopped() -> None:
    low = elastic(make_job(1, workers=8), 2)
    high = make_job(2, workers=4, priority=1)
    cluster = full(low)
    cluster.submit(high)
    decisions = cluster.decide()
    assert (given(decisions), evicted(decisions)) == ({name(low): 4}, [])
    assert cluster.decide() == [], "what it gives is kept until it is free, and nobody is asked twice"
    assert cluster.group(high).state is State.QUEUED
    cluster.leave()
    assert placed(cluster.decide()) == [name(high)]
    assert (cluster.group(low).state, cluster.workers(low)) == (State.RUNNING, 4)


def test_the_decision_says_for_whom_and_by_which_right() -> None:
    low, high = elastic(make_job(1, workers=8), 2), make_job(2, workers=3, priority=2)
    cluster = full(low)
    cluster.submit(high)
    (decision,) = cluster.decide()
    assert isinstance(decision, Resized)
    assert (decision.cause, decision.generation) == (ResizeCause.OTHERS, 2)
    given_to = decision.given_to
    assert given_to is not None
    assert (given_to.beneficiary, given_to.tenant, given_to.cause) == (name(high), "alpha", EvictionCause.PRIORITY)
    assert (given_to.priority, given_to.own_priority, given_to.devices_milli) == (2, 0, 3_000)


def test_nothing_but_whole_steps_is_given_and_never_below_the_least() -> None:
    low = elastic(make_job(1, workers=8), 2, step=3)
    cluster = full(low)
    cluster.submit(make_job(2, workers=1, priority=1))
    assert given(cluster.decide()) == {name(low): 5}
    cluster = full(low)
    cluster.submit(make_job(2, workers=7, priority=1))
    decisions = cluster.decide()
    assert (given(decisions), evicted(decisions)) == ({}, [name(low)]), "the least was too much, so it is stopped"


def test_who_waits_and_is_not_to_be_stopped_gives_all_the_same() -> None:
    low = elastic(make_job(1, workers=8), 2)
    cluster = full(replace(low, spec=replace(low.spec, preemptible=False)))
    cluster.submit(make_job(2, workers=4, priority=1))
    assert given(cluster.decide()) == {name(low): 4}


def test_others_are_stopped_only_for_what_is_missing_still() -> None:
    low, small = elastic(make_job(1, workers=4), 2), make_job(2, workers=4)
    cluster = full(low, small)
    cluster.submit(make_job(3, workers=6, priority=1))
    decisions = cluster.decide()
    assert (given(decisions), evicted(decisions)) == ({name(low): 2}, [name(small)])
    cluster.leave()
    assert placed(cluster.decide()) == [name(make_job(3))]


def test_who_is_asked_for_nothing_that_helps_is_left_as_it_is() -> None:
    first, second = elastic(make_job(1, workers=8), 7), make_job(2, shape=make_shape(8))
    cluster = full(first, second, nodes=(make_node("n1"), make_node("n2")))
    cluster.save(second)
    cluster.submit(make_job(3, shape=make_shape(8), priority=1))
    decisions = cluster.decide()
    assert (given(decisions), evicted(decisions)) == ({}, [name(second)])


def test_a_gang_that_gave_or_began_just_now_is_left_as_it_is_for_a_while() -> None:
    low = elastic(make_job(1, workers=8), 2)
    cluster = full(low, rules=Rules(min_run_s=60))
    cluster.submit(make_job(2, workers=2, priority=1))
    assert given(cluster.decide()) == {name(low): 6}
    cluster.leave()
    cluster.decide()
    cluster.submit(make_job(3, workers=2, priority=1))
    assert given(cluster.decide()) == {}
    cluster.wait(60)
    assert given(cluster.decide()) == {name(low): 4}


def test_what_a_quota_of_compute_has_too_little_of_is_given_though_devices_are_free() -> None:
    cluster = Contended(
        *(make_node(f"n{number}", labels=(("row", str(number)),)) for number in (1, 2)),
        quotas=(QueueQuota("alpha", COMPUTE, limit=8_000),),
    )
    cluster.tell(ChipDefined(make_chip("h100", dense_bf16_tflops=1_000.0, measured_tflops=None)))
    cluster.run(large := elastic(make_job(1, workers=8, node_labels=(("row", "1"),)), 2))
    cluster.wait(100)
    cluster.submit(make_job(2, workers=3, node_labels=(("row", "2"),), priority=1))
    assert given(cluster.decide()) == {name(large): 5}


def test_equals_do_not_give_way_to_each_other_but_for_what_they_were_lent() -> None:
    cluster = full(elastic(make_job(1, workers=8), 2))
    cluster.submit(make_job(2, workers=2))
    assert cluster.decide() == []

    low = elastic(make_job(1, workers=6), 2)
    cluster = grown(low, beside=make_job(9, workers=6))
    cluster.submit(make_job(2, workers=4), make_job(3, workers=3))
    decisions = cluster.decide()
    (decision,) = (each for each in decisions if isinstance(each, Resized))
    assert decision.given_to is not None
    assert (len(decision.allocations), decision.given_to.cause) == (4, EvictionCause.LOAN)
    assert not [each for each in decisions if isinstance(each, Evicted)]


def test_what_was_lent_goes_to_other_tenants_too_unless_it_is_guaranteed() -> None:
    low, waiting = elastic(make_job(1, workers=8), 2), make_job(2, workers=4, tenant="beta")
    cluster = grown(low, beside=make_job(9, workers=6))
    cluster.submit(waiting)
    assert given(cluster.decide()) == {name(low): 4}
    cluster = grown(low, beside=make_job(9, workers=6), quotas=(QueueQuota("alpha", "h100", guaranteed=8),))
    cluster.submit(waiting)
    assert cluster.decide() == []
    cluster = grown(low, beside=make_job(9, workers=6), rules=Rules(Scope.OFF))
    cluster.submit(waiting)
    assert cluster.decide() == [], "where nobody gives way to anybody"


def test_what_was_lent_is_not_for_jobs_of_less_priority() -> None:
    low = elastic(make_job(1, workers=8, priority=1), 2)
    cluster = grown(low, beside=make_job(9, workers=6, priority=1))
    cluster.submit(make_job(2, workers=4))
    assert cluster.decide() == []


def test_what_was_lent_goes_before_what_was_not() -> None:
    was, lent = elastic(make_job(1, workers=2), 1), elastic(make_job(2, workers=6), 2)
    cluster = Contended(make_node("n1"))
    cluster.run(make_job(9, workers=4), was)
    cluster.run(lent)
    cluster.end(make_job(9))
    cluster.wait(GROWS_AFTER_S)
    cluster.decide()
    assert (cluster.workers(was), cluster.workers(lent)) == (2, 6)
    cluster.wait(100)
    cluster.submit(make_job(3, workers=1, priority=1))
    assert given(cluster.decide()) == {name(lent): 5}


def test_devices_that_come_free_beside_a_loan_make_room_together() -> None:
    low, other, waiting = elastic(make_job(1, workers=4), 2), make_job(2, workers=2), make_job(3, workers=4)
    cluster = Contended(make_node("n1"))
    cluster.passes = Passes(most_promises=0, rules=Rules())
    cluster.run(make_job(8, workers=2), make_job(9, workers=2), other)
    cluster.run(low)
    cluster.submit(waiting)
    cluster.wait(GROWS_AFTER_S)
    cluster.end(make_job(9))
    cluster.decide()
    assert cluster.workers(low) == 4, "two devices were no help to who waits"
    cluster.wait(100)
    assert cluster.decide() == [], "nor is the loan alone"
    cluster.end(make_job(8))
    assert given(cluster.decide()) == {name(low): 2}
    cluster.leave()
    assert placed(cluster.decide()) == [name(waiting)]


def test_growth_beyond_what_is_guaranteed_is_a_loan() -> None:
    for guaranteed, cause in ((8, ResizeCause.ROOM), (4, ResizeCause.LOAN)):
        cluster = Contended(make_node("n1"), quotas=(QueueQuota("alpha", "h100", guaranteed=guaranteed),))
        cluster.run(make_job(9, workers=6))
        cluster.run(elastic(make_job(1, workers=8), 2))
        cluster.end(make_job(9))
        cluster.wait(GROWS_AFTER_S)
        assert [each.cause for each in cluster.decide() if isinstance(each, Resized)] == [cause]


def test_a_decision_that_was_refused_is_forgotten_with_its_claim() -> None:
    low, high = elastic(make_job(1, workers=8), 2), make_job(2, workers=4, priority=1)
    cluster = full(low)
    cluster.submit(high)
    decisions = cluster.passes.decide(cluster.state, cluster.now)
    assert list(cluster.passes.promises.claims)
    cluster.passes.take_back(decisions)
    assert not list(cluster.passes.promises.claims)


def test_the_smallest_size_that_is_not_below_something() -> None:
    live = full(elastic(make_job(1, workers=8), 2, step=2)).state.live[make_group(make_job(1)).id + "-a1"]
    assert [smaller(live, least) for least in (0, 3, 5, 7, 8)] == [2, 4, 6, None, None]
