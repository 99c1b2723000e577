from dataclasses import replace

import pytest

from scheduler.core.deciding.cycle import Cycle, backing_off
from scheduler.core.deciding.explanation import explain, explain_all
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Hold, LedgerChange, Overcommitted
from scheduler.core.model.decision import Placed, Refused, Waiting
from scheduler.core.model.group import Group, State, StopReason
from scheduler.core.model.job import AnyOf, Condition, Dependency, Job, Wish
from scheduler.core.model.node import Cluster, Node, NodeState
from scheduler.core.model.reason import (
    BackingOff,
    CannotFollow,
    CannotServe,
    NeverFits,
    NoCluster,
    QuotaExceeded,
    TooFewFree,
    WaitsForJob,
)
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Apart, Closeness, Spread
from tests.builders.core import (
    NOON,
    make_group,
    make_job,
    make_node,
    make_shape,
    make_state,
    place_first,
    seconds_after_noon,
)
from tests.oracle.decisions import decide


def state_with_groups(
    *groups: Group, jobs: tuple[Job, ...], nodes: tuple[Node, ...], clusters: tuple[Cluster, ...] = ()
) -> SchedulerState:
    return SchedulerState.from_parts(clusters=clusters, nodes=nodes, jobs=jobs, groups=groups, attempts=[])


def test_a_group_that_fits_is_placed_on_the_version_it_was_seen_in() -> None:
    job = make_job(workers=2)
    (decision,) = decide(make_state(make_node(), jobs=(job,)), NOON)
    assert isinstance(decision, Placed)
    group = make_group(job)
    assert (decision.group, decision.version, decision.attempt) == (group.id, group.version, f"{group.id}-a1")
    assert [(a.node, a.slots) for a in decision.allocations] == [("mixed/n1", (0,)), ("mixed/n1", (1,))]
    assert len(decision.notes) == 2


def test_what_one_gets_is_gone_for_those_behind_it() -> None:
    jobs = (make_job(1, workers=5), make_job(2, workers=5))
    state = make_state(make_node(), jobs=jobs)
    first, second = decide(state, NOON)
    assert isinstance(first, Placed)
    assert second == Waiting(make_group(jobs[1]).id, ())
    (reason,) = explain(place_first(state), second.group, NOON).reasons
    assert isinstance(reason, TooFewFree)
    assert (reason.chip, reason.workers, reason.level, reason.workers_fit) == ("h100", 5, CLUSTER, 3)


def test_a_group_that_must_wait_blocks_nobody_behind_it() -> None:
    jobs = (make_job(1, workers=6), make_job(2, workers=6), make_job(3, workers=2))
    decisions = decide(make_state(make_node(), jobs=jobs), NOON)
    assert [type(decision) for decision in decisions] == [Placed, Waiting, Placed]


def test_the_quota_counts_what_was_placed_in_the_same_cycle() -> None:
    jobs = (make_job(1, workers=3), make_job(2, workers=3), make_job(3, workers=3, tenant="beta"))
    state = make_state(make_node(devices={"h100": 64}), jobs=jobs, quotas=(QueueQuota("alpha", "h100", limit=5),))
    first, third, second = decide(state, NOON)  # the queue that holds nothing goes before the one that holds something
    assert isinstance(first, Placed)
    assert second == Waiting(make_group(jobs[1]).id, ())
    assert isinstance(third, Placed)
    place_first(place_first(state), number=2)
    over = QuotaExceeded("alpha", "h100", limit=5, used=3, asked=3)
    assert explain(state, second.group, NOON).reasons == (over,)


def test_who_asks_the_same_as_one_who_was_blocked_is_told_the_same() -> None:
    jobs = tuple(make_job(number, workers=8) for number in range(1, 4))
    state = make_state(make_node(), jobs=jobs)
    first, *others = decide(state, NOON)
    assert isinstance(first, Placed)
    assert others == [Waiting(make_group(job).id, ()) for job in jobs[1:]]
    second, third = explain_all(place_first(state), [waiting.group for waiting in others], NOON)
    assert second.reasons == third.reasons != ()


def test_who_asks_for_less_than_one_who_was_blocked_is_asked_about_anew() -> None:
    nodes = (make_node("a", {"h100": 4}, cpu_milli=1_000), make_node("b", {"h100": 4}, cpu_milli=1_000))
    jobs = (
        make_job(1, workers=1, shape=make_shape(2)),
        make_job(2, workers=2, shape=make_shape(1, cpu_milli=1_000)),
        make_job(3, workers=2, shape=make_shape(1, cpu_milli=0)),
        make_job(4, workers=1, shape=make_shape(1, cpu_milli=1_000)),
    )
    decisions = decide(make_state(*nodes, jobs=jobs), NOON)
    assert [type(decision) for decision in decisions] == [Placed, Waiting, Placed, Placed]


def test_what_can_never_run_is_refused_with_the_limits_it_met() -> None:
    job = make_job(chips=AnyOf(("h100", "mlu")), workers=9)
    (decision,) = decide(make_state(make_node(), jobs=(job,)), NOON)
    assert isinstance(decision, Refused)
    assert [(reason.chip, type(reason)) for reason in decision.reasons if isinstance(reason, NeverFits)] == [
        ("h100", NeverFits),
        ("mlu", NeverFits),
    ]
    assert len(decision.reasons) == 2


@pytest.mark.parametrize(
    "clusters",
    [
        (Cluster("mixed", "kubernetes"),),
        (Cluster("mixed", "local"), Cluster("another", "local")),
        (Cluster("mixed", "local"), Cluster("another", "kubernetes")),
        (),
    ],
    ids=["nodes come and go", "another has not reported", "another is seen, not declared", "not registered"],
)
def test_what_does_not_fit_waits_where_nodes_may_come_by_themselves(clusters: tuple[Cluster, ...]) -> None:
    job = make_job(workers=9)
    state = state_with_groups(make_group(job), jobs=(job,), nodes=(make_node(),), clusters=clusters)
    assert decide(state, NOON) == [Waiting(make_group(job).id, ())]
    assert [type(reason) for reason in explain(state, make_group(job).id, NOON).reasons] == [NeverFits]


def test_what_ran_before_is_not_refused_for_a_node_that_is_away() -> None:
    job = make_job(workers=9)
    group = replace(make_group(job), attempts=1)
    mixed = (Cluster("mixed", "local"),)
    state = state_with_groups(group, jobs=(job,), nodes=(make_node(),), clusters=mixed)
    assert decide(state, NOON) == [Waiting(group.id, ())]
    assert [type(reason) for reason in explain(state, group.id, NOON).reasons] == [NeverFits]


def test_what_a_cluster_objects_to_is_not_placed_there() -> None:
    nodes = (make_node(cluster="east"), make_node(cluster="west"))
    for unwilling, want in (("east", "west/n1"), ("west", "east/n1")):
        job = make_job(objecting_clusters=(unwilling,))
        (decision,) = decide(make_state(*nodes, jobs=(job,)), NOON)
        assert isinstance(decision, Placed)
        assert decision.allocations[0].node == want


def test_who_is_blocked_because_a_cluster_objects_does_not_speak_for_others() -> None:
    picky, plain = make_job(1, workers=8, objecting_clusters=("mixed",)), make_job(2, workers=8)
    assert [type(decision) for decision in decide(make_state(make_node(), jobs=(picky, plain)), NOON)] == [
        Waiting,
        Placed,
    ]


def test_nothing_is_refused_while_one_option_is_possible() -> None:
    jobs = (make_job(1, workers=8), make_job(2, chips=AnyOf(("mlu", "h100")), workers=8))
    state = make_state(make_node(), jobs=jobs)
    _, decision = decide(state, NOON)
    assert decision == Waiting(make_group(jobs[1]).id, ())
    lacking, never = explain(place_first(state), decision.group, NOON).reasons
    assert isinstance(lacking, TooFewFree)
    assert isinstance(never, NeverFits)
    assert [(lacking.chip, lacking.workers_fit), (never.chip, never.workers_fit_empty)] == [("h100", 0), ("mlu", 0)]


def test_nothing_is_refused_before_a_cluster_has_reported_nodes() -> None:
    job = make_job()
    state = make_state(jobs=(job,))
    assert decide(state, NOON) == [Waiting(make_group(job).id, ())]
    assert explain(state, make_group(job).id, NOON).reasons == (NoCluster(),)


def test_a_group_backs_off_until_its_time_has_come() -> None:
    job = make_job(retries=3)
    stopped = replace(make_group(job), attempts=1, failures=1, stop_reason=StopReason.LOST)
    group = replace(stopped, not_before=seconds_after_noon(5))
    state = state_with_groups(group, jobs=(job,), nodes=(make_node(),))
    want = BackingOff(seconds_after_noon(5), failures=1, retries=3, stop_reason=StopReason.LOST)
    assert decide(state, seconds_after_noon(4)) == [Waiting(group.id, (want,))]
    (decision,) = decide(state, seconds_after_noon(5))
    assert isinstance(decision, Placed)
    assert decision.attempt == f"{group.id}-a2"


def test_a_job_that_is_to_stop_is_not_placed() -> None:
    assert decide(make_state(make_node(), jobs=(make_job(wish=Wish.STOP),)), NOON) == []


def test_the_queue_is_served_by_priority_and_then_by_time() -> None:
    jobs = (make_job(1), make_job(2, priority=1), make_job(3, submitted_at=NOON))
    state = make_state(make_node(), jobs=jobs)
    want = [make_group(jobs[index]).id for index in (1, 2, 0)]
    assert [decision.group for decision in decide(state, NOON)] == want


def test_a_cycle_leaves_the_state_as_it_was() -> None:
    jobs = tuple(make_job(number, workers=number, shape=make_shape(2)) for number in range(1, 6))
    state = make_state(make_node(), make_node("n2"), jobs=jobs)
    before = state.digest()
    want = decide(state, NOON)
    assert state.digest() == before
    assert decide(state, NOON) == want


def test_gangs_that_keep_off_each_other_do_so_within_one_cycle() -> None:
    serving = (("app", "serving"),)
    jobs = tuple(make_job(number, labels=serving, apart=Apart(NODE, serving)) for number in (1, 2, 3))
    state = make_state(make_node("a"), make_node("b"), jobs=jobs)
    first, second, third = decide(state, NOON)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert isinstance(third, Waiting)
    assert {first.allocations[0].node, second.allocations[0].node} == {"mixed/a", "mixed/b"}
    place_first(place_first(state), number=2)
    (reason,) = explain(state, third.group, NOON).reasons
    assert isinstance(reason, TooFewFree)
    assert (reason.chip, reason.workers, reason.workers_fit) == ("h100", 1, 0)


def test_shares_of_two_tenants_meet_on_one_device() -> None:
    half = make_shape(share_milli=500, share_memory_mib=40_960)
    jobs = (make_job(1, shape=half), make_job(2, shape=half, tenant="beta"), make_job(3, shape=half))
    decisions = decide(make_state(make_node(devices={"h100": 1}), jobs=jobs), NOON)
    assert [type(decision) for decision in decisions] == [Placed, Placed, Waiting]
    held = [decision.allocations for decision in decisions if isinstance(decision, Placed)]
    assert [(one.slots, one.share_milli, one.share_memory_mib) for (one,) in held] == [((0,), 500, 40_960)] * 2


def test_a_gang_that_wants_its_nodes_to_itself_gets_them_and_keeps_others_off() -> None:
    jobs = (make_job(1, workers=2, exclusive=True), make_job(2), make_job(3, workers=1, exclusive=True))
    first, second, third = decide(make_state(make_node("a"), make_node("b"), jobs=jobs), NOON)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    (own,) = {allocation.node for allocation in first.allocations}
    assert sum(allocation.pods for allocation in first.allocations) == make_node().pods
    assert second.allocations[0].node != own
    assert isinstance(third, Waiting)


def test_shares_of_a_gang_that_wants_its_nodes_to_itself_fill_node_after_node() -> None:
    job = make_job(workers=3, shape=make_shape(share_milli=500), exclusive=True)
    state = make_state(make_node("a", {"h100": 1}), make_node("b", {"h100": 1}), jobs=(job,))
    (decision,) = decide(state, NOON)
    assert isinstance(decision, Placed)
    assert sorted(allocation.node for allocation in decision.allocations) in (
        ["mixed/a", "mixed/a", "mixed/b"],
        ["mixed/a", "mixed/b", "mixed/b"],
    )
    assert all(allocation.pods >= 1 for allocation in decision.allocations)
    state.ledger.apply(Hold(decision.attempt, "alpha", decision.allocations))
    for node in ("mixed/a", "mixed/b"):
        assert sum(one.pods for one in decision.allocations if one.node == node) == make_node().pods


def test_shares_that_are_spread_over_nodes_meet_on_none() -> None:
    half = make_shape(share_milli=500)
    jobs = (make_job(1, workers=3, shape=half, spread=Spread(NODE, 1)), make_job(2, workers=4, shape=half))
    nodes = tuple(make_node(name, {"h100": 1}) for name in "abc")
    first, second = decide(make_state(*nodes, jobs=jobs), NOON)
    assert isinstance(first, Placed)
    assert sorted(allocation.node for allocation in first.allocations) == ["mixed/a", "mixed/b", "mixed/c"]
    assert isinstance(second, Waiting)


def test_where_devices_are_only_counted_a_gang_is_told_how_many_and_not_which() -> None:
    counting = Cluster("mixed", "kubernetes", binds_devices=False, enforces_shares=False)
    jobs = (make_job(1, shape=make_shape(2)), make_job(2, shape=make_shape(share_milli=500)))
    first, second = decide(make_state(make_node(), jobs=jobs, clusters=(counting,)), NOON)
    assert isinstance(first, Placed)
    assert [(one.slots, one.counted, one.devices) for one in first.allocations] == [((), 2, 2)]
    assert isinstance(second, Waiting)


def test_a_tenants_own_nodes_are_used_by_it_and_by_nobody_else() -> None:
    jobs = (make_job(1, workers=8, tenant="beta"), make_job(2, workers=8), make_job(3, workers=8))
    nodes = (make_node("a", tenant="alpha"), make_node("b"))
    second, first, third = decide(make_state(*nodes, jobs=jobs), NOON)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert {allocation.node for allocation in first.allocations} == {"mixed/b"}
    assert {allocation.node for allocation in second.allocations} == {"mixed/a"}
    assert isinstance(third, Waiting)


def test_a_degraded_node_is_used_where_no_other_has_room_and_a_suspect_one_never() -> None:
    nodes = (
        make_node("a", state=NodeState.DEGRADED),
        make_node("b", {"h100": 1}),
        make_node("c", state=NodeState.SUSPECT),
    )
    decisions = decide(make_state(*nodes, jobs=tuple(make_job(number) for number in range(10))), NOON)
    placed = [decision.allocations[0].node for decision in decisions if isinstance(decision, Placed)]
    assert placed == ["mixed/b", *["mixed/a"] * 8]


def test_a_wish_that_no_cluster_can_meet_is_refused_by_name() -> None:
    jobs = (make_job(1, closeness=Closeness(required=RACK)), make_job(2, node_labels=(("disk", "fast"),)))
    decisions = decide(make_state(make_node(), jobs=jobs), NOON)
    assert [
        [type(reason) for reason in decision.reasons] for decision in decisions if isinstance(decision, Refused)
    ] == [
        [CannotServe],
        [CannotServe],
    ]


def test_a_place_is_given_only_while_the_state_is_as_it_was_looked_at() -> None:
    jobs = (make_job(1), make_job(2))
    state = make_state(make_node(), jobs=jobs)
    applied: list[LedgerChange] = []
    cycle = Cycle(state, applied.append, NOON)
    first, second = (cycle.decide(make_group(job)) for job in jobs)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert first.allocations[0].slots == second.allocations[0].slots == (0,)
    state.ledger.apply(applied[0])
    with pytest.raises(Overcommitted):
        state.ledger.apply(applied[1])
    assert not state.ledger.has_hold(second.attempt)


def test_the_next_back_off_to_end_is_the_earliest_in_the_future() -> None:
    jobs = tuple(make_job(number) for number in range(4))
    dues = (None, seconds_after_noon(1), seconds_after_noon(9), seconds_after_noon(5))
    groups = [replace(make_group(job), not_before=due) for job, due in zip(jobs, dues, strict=True)]
    state = state_with_groups(*groups, jobs=jobs, nodes=())
    assert state.waiters.next_due(seconds_after_noon(1)) == seconds_after_noon(5)
    assert state.waiters.next_due(seconds_after_noon(9)) is None


def test_a_group_without_a_back_off_is_due() -> None:
    job = make_job()
    assert backing_off(job, make_group(job), NOON) is None


FIRST = make_job(1)
AFTER_FIRST = make_job(2, after=(Dependency(FIRST.id),))


def test_a_job_waits_for_the_one_it_comes_after_and_holds_up_nobody() -> None:
    jobs = (FIRST, AFTER_FIRST, make_job(3))
    first, waiting, third = decide(make_state(make_node(), jobs=jobs), NOON)
    assert waiting == Waiting(make_group(AFTER_FIRST).id, (WaitsForJob(FIRST.id, Condition.SUCCEEDED),))
    assert isinstance(first, Placed)
    assert isinstance(third, Placed)


def test_a_job_runs_once_what_it_comes_after_is_over_as_it_must_be() -> None:
    job = AFTER_FIRST.with_settled(FIRST.id, State.SUCCEEDED)
    (decision,) = decide(make_state(make_node(), jobs=(job,)), NOON)
    assert isinstance(decision, Placed)


def test_a_job_is_refused_once_what_it_comes_after_cannot_succeed_any_more() -> None:
    job = AFTER_FIRST.with_settled(FIRST.id, State.FAILED)
    (decision,) = decide(make_state(make_node(), jobs=(job,)), NOON)
    assert decision == Refused(make_group(job).id, 1, (CannotFollow(FIRST.id, State.FAILED),))
