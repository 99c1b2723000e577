from dataclasses import replace

import pytest

from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.change import QueueQuotaSet
from scheduler.core.model.decision import Evicted
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import RACK, Apart, Closeness
from tests.builders.core import make_group, make_job, make_node, make_shape
from tests.builders.preempting import Contended, elastic, evicted, given, placed

WHOLE = make_shape(8)


def names(*jobs: Job) -> list[str]:
    return sorted(make_group(job).id for job in jobs)


def full(*jobs: Job, nodes: int = 1, rules: Rules | None = None, quotas: tuple[QueueQuota, ...] = ()) -> Contended:
    """Return a cluster on which jobs run, long enough to be stopped."""
    cluster = Contended(*(make_node(f"n{number}") for number in range(nodes)), rules=rules, quotas=quotas)
    cluster.run(*jobs)
    assert not cluster.in_state(State.QUEUED)
    cluster.wait(100)
    return cluster


def test_a_gang_of_higher_priority_has_one_of_its_tenants_stopped_and_starts_when_that_is_gone() -> None:
    low, high = make_job(1, shape=WHOLE), make_job(2, shape=WHOLE, priority=1)
    cluster = full(low)
    cluster.submit(high)
    assert evicted(cluster.decide()) == names(low)
    assert cluster.group(low).stop_reason is StopReason.PREEMPTED
    assert cluster.decide() == [], "while somebody stops for it, nobody else is stopped"
    cluster.leave()
    assert placed(cluster.decide()) == names(high)
    assert cluster.group(low).state is State.QUEUED
    assert cluster.group(low).failures == 0


def test_the_decision_says_for_whom_by_which_right_and_what_it_costs() -> None:
    low, high = make_job(1, shape=WHOLE), make_job(2, shape=WHOLE, priority=3)
    cluster = full(low)
    cluster.save(low)
    cluster.wait(40)
    cluster.submit(high)
    (decision,) = cluster.decide()
    assert isinstance(decision, Evicted)
    eviction = decision.eviction
    assert (eviction.beneficiary, eviction.tenant, eviction.cause) == (*names(high), "alpha", EvictionCause.PRIORITY)
    assert (eviction.priority, eviction.own_priority, eviction.devices_milli) == (3, 0, 8_000)
    assert (eviction.unsaved_s, eviction.unsaved_device_s) == (40, 320)


@pytest.mark.parametrize(
    ("other", "scope", "is_stopped"),
    [
        ("alpha", Scope.TENANT, True),
        ("beta", Scope.TENANT, False),
        ("beta", Scope.EVERYWHERE, True),
        ("alpha", Scope.OFF, False),
    ],
)
def test_whose_jobs_may_be_stopped_is_for_the_operator_to_say(other: str, scope: Scope, is_stopped: bool) -> None:  # noqa: FBT001
    cluster = full(make_job(1, shape=WHOLE, tenant=other), rules=Rules(scope))
    cluster.submit(make_job(2, shape=WHOLE, priority=1))
    assert bool(evicted(cluster.decide())) is is_stopped


def test_a_gang_that_needs_the_last_of_its_quota_starts_in_the_room_that_was_made_for_it() -> None:
    low, other = make_job(1, shape=WHOLE, tenant="beta"), make_job(2, shape=WHOLE, tenant="beta")
    limit = (QueueQuota("alpha", "h100", limit=8),)
    cluster = full(low, other, nodes=2, rules=Rules(Scope.EVERYWHERE), quotas=limit)
    high = make_job(3, shape=WHOLE, priority=1)
    cluster.submit(high)
    cluster.decide()
    cluster.leave()
    assert placed(cluster.decide()) == names(high)


def test_a_gang_that_keeps_apart_from_whom_it_has_stopped_gets_its_place() -> None:
    low, high = make_job(1, shape=WHOLE, labels=(("service", "search"),)), make_job(2, shape=WHOLE, priority=1)
    cluster = full(low)
    cluster.submit(replace(high, spec=replace(high.spec, apart=Apart("node", (("service", "search"),)))))
    assert evicted(cluster.decide()) == names(low)


def test_equals_are_not_stopped_for_each_other() -> None:
    cluster = full(make_job(1, shape=WHOLE, priority=1))
    cluster.submit(make_job(2, shape=WHOLE, priority=1))
    assert cluster.decide() == []


def test_who_asked_not_to_be_stopped_is_not() -> None:
    low = make_job(1, shape=WHOLE)
    cluster = full(replace(low, spec=replace(low.spec, preemptible=False)))
    cluster.submit(make_job(2, shape=WHOLE, priority=1))
    assert cluster.decide() == []


def test_an_attempt_is_left_alone_until_it_has_run_for_a_while_and_then_stopped_without_further_news() -> None:
    cluster = Contended(make_node())
    cluster.run(low := make_job(1, shape=WHOLE))
    cluster.wait(55)
    cluster.submit(make_job(2, shape=WHOLE, priority=1))
    assert cluster.decide() == []
    due = cluster.passes.next_due(cluster.state, cluster.now)
    assert due is not None
    cluster.wait((due - cluster.now).total_seconds())
    assert evicted(cluster.decide()) == names(low)


def test_who_was_preempted_is_left_alone_for_longer_the_next_time() -> None:
    cluster = full(low := make_job(1, shape=WHOLE))
    cluster.submit(high := make_job(2, shape=WHOLE, priority=1))
    cluster.decide()
    cluster.leave()
    cluster.decide()
    cluster.move(make_group(high).id, Event.ALL_SUCCEEDED)
    cluster.decide()
    cluster.start()
    assert cluster.group(low).preemptions == 1
    cluster.wait(100)
    cluster.submit(make_job(3, shape=WHOLE, priority=1))
    assert cluster.decide() == []
    cluster.wait(20)
    assert evicted(cluster.decide()) == names(low)


def test_a_gang_that_waits_again_while_its_room_for_one_that_is_alike_is_made_has_others_stopped_too() -> None:
    low = [make_job(number, shape=WHOLE) for number in (1, 2, 3)]
    cluster = full(*low, nodes=3)
    one, other = make_job(11, shape=WHOLE, priority=1), make_job(12, shape=WHOLE, priority=1)
    cluster.submit(one, other)
    stopped = evicted(cluster.decide())
    assert len(stopped) == 2
    (of_other,) = [each for each in cluster.passes.promises.claims if each.group == make_group(other).id]
    (victim,) = of_other.waits_for
    cluster.move(cluster.state.live[victim].group.id, Event.GONE)
    assert placed(cluster.decide()) == names(one), "the first takes what is complete first"
    cluster.move(make_group(one).id, Event.STOP, StopReason.PREEMPTED)
    cluster.move(make_group(one).id, Event.GONE)
    cluster.submit(make_job(20, shape=WHOLE, priority=9))
    (more,) = evicted(cluster.decide())
    assert more not in stopped
    cluster.leave()
    assert placed(cluster.decide()) == names(one, other)


def test_no_more_are_stopped_than_are_in_the_way_and_those_first_with_the_least_to_lose() -> None:
    jobs = [make_job(number) for number in range(1, 9)]
    cluster = full(*jobs)
    for job in (jobs[2], jobs[5]):
        cluster.save(job)
    cluster.submit(make_job(9, shape=make_shape(2), priority=1))
    assert evicted(cluster.decide()) == names(jobs[2], jobs[5])


def test_a_small_gang_is_stopped_rather_than_a_large_one_of_which_little_is_of_use() -> None:
    large, small = make_job(1, workers=2, shape=make_shape(7)), make_job(2)
    cluster = full(large, small, make_job(3), nodes=2)
    cluster.save(large)
    cluster.submit(make_job(9, priority=1))
    assert len(found := evicted(cluster.decide())) == 1
    assert found != names(large)


def test_a_gang_is_stopped_whole_and_what_is_left_of_it_is_for_others() -> None:
    large = make_job(1, workers=2, shape=WHOLE)
    cluster = full(large, nodes=2)
    cluster.submit(first := make_job(2, shape=WHOLE, priority=1), second := make_job(3, shape=WHOLE, priority=1))
    assert evicted(cluster.decide()) == names(large)
    cluster.leave()
    assert placed(cluster.decide()) == names(first, second)


def test_room_that_comes_free_bit_by_bit_is_kept_for_whom_it_is() -> None:
    jobs = [make_job(number) for number in range(1, 9)]
    cluster = full(*jobs)
    cluster.submit(high := make_job(10, shape=WHOLE, priority=1))
    assert evicted(cluster.decide()) == names(*jobs)
    cluster.leave(most=7)
    cluster.submit(make_job(11))
    assert cluster.decide() == [], "neither a victim nor a newcomer gets what is kept"
    cluster.leave()
    assert placed(cluster.decide()) == names(high)


def test_all_workers_of_a_gang_are_made_room_for_within_the_domain_that_must_hold_them() -> None:
    cluster = Contended(*(make_node(f"n{number}", rack=f"r{number // 2}") for number in range(4)))
    jobs = [make_job(number, shape=WHOLE) for number in range(1, 5)]
    cluster.run(*jobs)
    cluster.wait(100)
    cluster.submit(make_job(9, workers=2, shape=WHOLE, priority=1, closeness=Closeness(required=RACK)))
    stopped = evicted(cluster.decide())
    nodes = {cluster.state.live[cluster.state.groups[name].latest_attempt].allocations[0].node for name in stopped}
    assert nodes in ({"mixed/n0", "mixed/n1"}, {"mixed/n2", "mixed/n3"})


def test_a_quota_that_is_used_up_is_freed_by_the_tenants_own() -> None:
    low, other = make_job(1, workers=4), make_job(2, workers=2, tenant="beta")
    cluster = full(low, other, quotas=(QueueQuota("alpha", "h100", limit=4),), rules=Rules(Scope.EVERYWHERE))
    cluster.submit(make_job(3, workers=2, priority=1))
    assert evicted(cluster.decide()) == names(low)


def test_who_stops_anyway_is_waited_for() -> None:
    jobs = [make_job(1, shape=WHOLE), make_job(2, shape=WHOLE)]
    cluster = full(*jobs, nodes=2)
    cluster.move(make_group(jobs[0]).id, Event.STOP, StopReason.CANCELLED)
    cluster.submit(high := make_job(3, shape=WHOLE, priority=1))
    assert cluster.decide() == []
    cluster.leave()
    assert placed(cluster.decide()) == names(high)


def test_what_the_database_refused_is_decided_anew() -> None:
    low, high = make_job(1, shape=WHOLE), make_job(2, shape=WHOLE, priority=1)
    cluster = full(low)
    cluster.submit(high)
    first = cluster.passes.decide(cluster.state, cluster.now)
    assert evicted(first) == names(low)
    assert cluster.passes.decide(cluster.state, cluster.now) == []
    cluster.passes.take_back(first)
    assert cluster.passes.decide(cluster.state, cluster.now) == first


def test_alike_gangs_have_as_many_stopped_as_there_are_of_them_and_start_as_these_leave() -> None:
    low = [make_job(number, shape=WHOLE) for number in range(1, 4)]
    high = [make_job(number, shape=WHOLE, priority=1) for number in range(5, 9)]
    cluster = full(*low, nodes=3)
    cluster.submit(*high)
    assert evicted(cluster.decide()) == names(*low)
    cluster.leave(most=1)
    assert placed(cluster.decide()) == names(high[0])
    cluster.leave()
    assert placed(cluster.decide()) == names(high[1], high[2])
    assert cluster.group(high[3]).state is State.QUEUED


def test_so_many_give_way_that_a_gang_may_use_what_they_give_beside_what_others_keep_back() -> None:
    elastic_ones = [elastic(make_job(number, workers=4, tenant="gamma"), 1) for number in (1, 2)]
    cluster = full(*elastic_ones, rules=Rules(Scope.EVERYWHERE))
    cluster.tell(QueueQuotaSet(QueueQuota("beta", "h100", guaranteed=4, lending=0)))
    high = make_job(3, workers=2, priority=1)
    cluster.submit(high)
    assert given(cluster.decide()) == dict.fromkeys(names(*elastic_ones), 1)
    cluster.leave()
    assert placed(cluster.decide()) == names(high), "no device lies idle that it may not use"
