from dataclasses import replace

import pytest

from scheduler.core.deciding.explanation import Explanation, NotWaiting, explain, explain_all
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.group import State
from scheduler.core.model.job import AnyOf, ArrayMember, Condition, Dependency
from scheduler.core.model.node import ForeignUse, NodeState
from scheduler.core.model.reason import (
    BackingOff,
    CannotFollow,
    Holder,
    NearestShape,
    NeverFits,
    NoCluster,
    QuotaExceeded,
    TooFewFree,
    WaitsForArray,
    WaitsForJob,
)
from scheduler.core.model.sharing.queue import QueueQuota, Shares
from scheduler.core.model.topology import CLUSTER, NODE, Apart
from tests.builders.core import NOON, make_group, make_job, make_node, make_state, place_first, seconds_after_noon


def test_a_group_that_would_fit_right_now_has_no_reason_to_wait() -> None:
    job = make_job()
    group = make_group(job).id
    found = explain(make_state(make_node(), jobs=(job,)), group, NOON)
    assert replace(found, standing=None) == Explanation(group, (), position=1, ahead=0)


def test_what_blocks_is_what_is_held_in_truth_and_not_what_those_ahead_ask_for() -> None:
    jobs = tuple(make_job(number, workers=5) for number in (1, 2, 3))
    state = place_first(make_state(make_node(), jobs=jobs))
    (reason,) = explain(state, make_group(jobs[2]).id, NOON).reasons
    assert isinstance(reason, TooFewFree)
    assert (reason.devices_free, reason.workers_fit) == (3, 3)


def test_the_position_counts_those_who_wait_before_it() -> None:
    jobs = (make_job(1), make_job(2), make_job(3, priority=1))
    state = make_state(jobs=jobs)
    found = [explain(state, make_group(job).id, NOON) for job in jobs]
    assert [(explanation.position, explanation.ahead) for explanation in found] == [(2, 1), (3, 2), (1, 0)]


def test_a_quota_that_will_never_do_comes_before_what_passes_and_that_before_capacity() -> None:
    job = make_job(workers=4, retries=2)
    due = seconds_after_noon(60)
    state = SchedulerState.from_parts(
        clusters=[],
        nodes=[make_node(devices={"h100": 4}, state=NodeState.DRAINED)],
        shares=Shares(quotas=(QueueQuota("alpha", "h100", limit=3),)),
        jobs=[job],
        groups=[replace(make_group(job), failures=1, not_before=due)],
        attempts=[],
    )
    quota, pause, capacity = explain(state, make_group(job).id, NOON).reasons
    assert pause == BackingOff(due, 1, 2)
    assert quota == QuotaExceeded("alpha", "h100", limit=3, used=0, asked=4)
    assert isinstance(capacity, TooFewFree)


def test_explaining_leaves_no_trace() -> None:
    jobs = (make_job(1, workers=9), make_job(2))
    state = make_state(make_node(), jobs=jobs)
    before, changes = state.digest(), state.ledger.inventory.changes
    for job in jobs:
        explain(state, make_group(job).id, NOON)
    assert (state.digest(), state.ledger.inventory.changes) == (before, changes)


def test_only_a_group_that_waits_can_be_explained() -> None:
    job = make_job()
    state = place_first(make_state(make_node(), jobs=(job,)))
    for group in (make_group(job).id, "nobody-g0"):
        with pytest.raises(NotWaiting):
            explain(state, group, NOON)


def test_several_groups_are_explained_as_each_would_be_alone() -> None:
    jobs = (make_job(1, workers=5), make_job(2, workers=9), make_job(3, priority=1), make_job(4, workers=2))
    state = place_first(make_state(make_node(), jobs=jobs))
    waiting = sorted(state.waiting)
    assert len(waiting) == 3
    assert explain_all(state, waiting, NOON) == [explain(state, group, NOON) for group in waiting]


def test_nodes_of_a_cluster_that_objects_are_no_answer() -> None:
    nodes = (make_node(cluster="east"), make_node(cluster="west", devices={"h100": 1}))
    job = make_job(workers=2, objecting_clusters=("east",))
    (reason,) = explain(make_state(*nodes, jobs=(job,)), make_group(job).id, NOON).reasons
    assert isinstance(reason, NeverFits)
    assert (reason.cluster, reason.workers_fit_empty) == ("west", 1)


def test_where_only_clusters_that_object_have_nodes_it_waits_for_another() -> None:
    job = make_job(objecting_clusters=("mixed",))
    assert explain(make_state(make_node(), jobs=(job,)), make_group(job).id, NOON).reasons == (NoCluster(),)


def test_who_waits_for_room_is_told_how_many_fit_who_holds_the_rest_and_what_would_fit() -> None:
    jobs = (make_job(1, workers=5), make_job(2, workers=5, tenant="beta"))
    state = place_first(make_state(make_node(), jobs=jobs))
    (reason,) = explain(state, make_group(jobs[1]).id, NOON).reasons
    assert isinstance(reason, TooFewFree)
    assert (reason.chip, reason.workers, reason.level, reason.workers_fit) == ("h100", 5, CLUSTER, 3)
    assert reason.holders == (Holder("alpha", 5),)
    assert reason.nearest == NearestShape(3, 1, CLUSTER)


def test_who_keeps_off_others_is_told_why_it_waits() -> None:
    serving = (("app", "serving"),)
    jobs = (make_job(1, labels=serving), make_job(2, apart=Apart(NODE, serving)))
    state = place_first(make_state(make_node(), jobs=jobs))
    (reason,) = explain(state, make_group(jobs[1]).id, NOON).reasons
    assert isinstance(reason, TooFewFree)
    assert reason.workers_fit == 0


def test_an_option_over_quota_and_one_without_room_are_both_told() -> None:
    job = make_job(chips=AnyOf(("h100", "mlu")), workers=3)
    nodes = (make_node("a"), make_node("b", {"mlu": 4}, state=NodeState.SUSPECT))
    state = make_state(*nodes, jobs=(job,), quotas=(QueueQuota("alpha", "h100", limit=2),))
    over, lacking = explain(state, make_group(job).id, NOON).reasons
    assert over == QuotaExceeded("alpha", "h100", limit=2, used=0, asked=3)
    assert isinstance(lacking, TooFewFree)
    assert (lacking.chip, lacking.devices_drained) == ("mlu", 4)


def test_free_devices_are_told_apart_from_others_own_and_those_in_foreign_hands() -> None:
    foreign = ForeignUse(devices=(("h100", 3),))
    nodes = (make_node("a", foreign=foreign), make_node("b", {"h100": 4}, tenant="beta"))
    jobs = (make_job(1, workers=2), make_job(2, workers=4))
    state = place_first(make_state(*nodes, jobs=jobs))
    (reason,) = explain(state, make_group(jobs[1]).id, NOON).reasons
    assert isinstance(reason, TooFewFree)
    assert (reason.devices_free, reason.devices_reserved, reason.workers_fit) == (3, 4, 3)


def test_a_job_that_comes_after_another_is_told_that_and_nothing_of_what_is_free() -> None:
    first = make_job(1, workers=99)
    later = make_job(2, workers=99, after=(Dependency(first.id),))
    state = make_state(make_node(), jobs=(first, later))
    assert explain(state, make_group(later).id, NOON).reasons == (WaitsForJob(first.id, Condition.SUCCEEDED),)
    member = make_job(3, array=ArrayMember("a1", "sweep", 0, 5))
    after_all = make_job(4, after=(Dependency("a1", Condition.ENDED, is_array=True),))
    state = make_state(make_node(), jobs=(member, after_all))
    assert explain(state, make_group(after_all).id, NOON).reasons == (WaitsForArray("a1", Condition.ENDED, 4, 5),)
    lost = later.with_settled(first.id, State.FAILED)
    state = make_state(make_node(), jobs=(lost,))
    assert explain(state, make_group(lost).id, NOON).reasons == (CannotFollow(first.id, State.FAILED),)
