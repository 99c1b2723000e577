from dataclasses import replace

from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Hold
from scheduler.core.model.change import (
    GroupPlaced,
    JobSubmitted,
    NodeSeen,
    PriorityChanged,
    QueueQuotaLifted,
    QueueQuotaSet,
)
from scheduler.core.model.decision import Placed, Refused
from scheduler.core.model.group import State
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.sharing.queue import Queue, QueueQuota
from tests.builders.core import NOON, as_change, make_group, make_job, make_node, make_state, seconds_after_noon
from tests.builders.database import make_chip


def full_state(*jobs: Job, drained: Node | None = None) -> SchedulerState:
    """Return a state in which jobs wait beside one node that others hold, and one that may be drained."""
    state = make_state(make_node("full"), *([drained] if drained else []), jobs=jobs)
    filling = make_job(99, workers=8)
    (placed,) = Passes().decide(make_state(make_node("full"), jobs=(filling,)), NOON)
    assert isinstance(placed, Placed)
    state.ledger.apply(Hold(placed.attempt, "alpha", placed.allocations))
    return state


def test_nobody_is_asked_again_while_nothing_comes_that_they_lack() -> None:
    jobs = [make_job(number, workers=number) for number in range(1, 9)]
    state, passes = full_state(*jobs), Passes()
    assert passes.decide(state, NOON) == []
    asked = passes.asked
    assert asked == len(jobs)
    state.apply(as_change(NodeSeen(make_node("other", {"a800": 8}))))
    state.apply(as_change(QueueQuotaSet(QueueQuota("beta", "h100", limit=1))))
    assert passes.decide(state, NOON) == []
    assert passes.asked == asked


def test_those_alone_are_asked_for_whom_there_may_be_room_now() -> None:
    drained = make_node("drained", {"h100": 2}, state=NodeState.DRAINED)
    jobs = [make_job(number, workers=number) for number in range(1, 9)]
    state, passes = full_state(*jobs, drained=drained), Passes()
    passes.decide(state, NOON)
    asked = passes.asked
    state.apply(as_change(NodeSeen(replace(drained, state=NodeState.READY))))
    (placed,) = passes.decide(state, NOON)
    assert placed.group == make_group(jobs[0]).id
    assert passes.asked == asked + 1, "the second asks for more than the first has left"


def test_of_alike_jobs_the_first_one_speaks_for_all() -> None:
    state, passes = full_state(*(make_job(number) for number in range(1, 9))), Passes()
    assert passes.decide(state, NOON) == []
    assert passes.asked == 1


def test_a_new_job_is_asked_about_and_nobody_else() -> None:
    state, passes = full_state(make_job(1, workers=2), make_job(2, workers=3)), Passes()
    passes.decide(state, NOON)
    job = make_job(3, workers=4)
    state.apply(as_change(JobSubmitted(job, (make_group(job),))))
    asked = passes.asked
    assert passes.decide(state, NOON) == []
    assert passes.asked == asked + 1


def test_a_tenant_whose_quota_changes_is_asked_again() -> None:
    jobs = (make_job(1, workers=4), make_job(2, workers=4, tenant="beta"))
    state = make_state(
        make_node(), jobs=jobs, quotas=(QueueQuota("alpha", "h100", limit=1), QueueQuota("beta", "h100", limit=1))
    )
    passes = Passes()
    assert passes.decide(state, NOON) == []
    state.apply(as_change(QueueQuotaLifted("beta", "h100")))
    (placed,) = passes.decide(state, NOON)
    assert placed.group == make_group(jobs[1]).id


def test_who_lacks_compute_that_is_kept_for_others_is_asked_again_when_there_is_more_of_it() -> None:
    job, chips = make_job(workers=8), (make_chip("h100", measured_tflops=10.0),)
    kept = QueueQuota("beta", "compute", guaranteed=40, lending=0)
    queues = (Queue("alpha", tenant="alpha"), Queue("beta", tenant="beta"))
    state = make_state(make_node("n1"), jobs=(job,), chips=chips, queues=queues, quotas=(kept,))
    passes = Passes()
    assert passes.decide(state, NOON) == []
    state.apply(as_change(NodeSeen(make_node("n2"))))
    (placed,) = passes.decide(state, NOON)
    assert placed.group == make_group(job).id


def test_what_can_never_be_after_a_node_shrank_is_refused_whatever_it_waited_for() -> None:
    job = make_job(workers=8)
    state = make_state(node := make_node(), jobs=(job,), quotas=(QueueQuota("alpha", "h100", limit=1),))
    passes = Passes()
    assert passes.decide(state, NOON) == []
    state.apply(as_change(NodeSeen(replace(node, devices=make_node(devices={"h100": 4}).devices))))
    (refused,) = passes.decide(state, NOON)
    assert isinstance(refused, Refused)


def test_what_was_decided_and_not_done_is_decided_again() -> None:
    job = make_job()
    state, passes = make_state(make_node(), jobs=(job,)), Passes()
    (placed,) = decisions = passes.decide(state, NOON)
    assert isinstance(placed, Placed)
    assert passes.decide(state, NOON) == []
    passes.take_back(decisions)
    assert passes.decide(state, NOON) == decisions


def test_what_was_decided_and_not_done_leaves_its_room_to_those_who_wait() -> None:
    first, second = make_job(1, workers=8), make_job(2, workers=7)
    state, passes = make_state(make_node(), jobs=(first, second)), Passes()
    decisions = passes.decide(state, NOON)
    assert [decision.group for decision in decisions] == [make_group(first).id]
    elsewhere = replace(make_group(first), state=State.CANCELLED, version=2)
    passes.take_back(decisions)
    state.apply(as_change(GroupPlaced(replace(elsewhere, state=State.CANCELLED), "a", (), ())))
    assert [decision.group for decision in passes.decide(state, NOON)] == [make_group(second).id]


def test_what_came_while_decisions_were_carried_out_is_looked_at() -> None:
    first, second = make_job(1), make_job(2)
    state, passes = make_state(make_node(), jobs=(first,)), Passes()
    passes.decide(state, NOON)
    for come in (second, make_job(3, workers=9)):
        state.apply(as_change(JobSubmitted(come, (make_group(come),))))
    passes.take_back([])
    assert make_group(second).id in [decision.group for decision in passes.decide(state, NOON)]


def test_who_backs_off_is_asked_again_when_its_time_has_come() -> None:
    job = make_job()
    waiting = replace(make_group(job), not_before=seconds_after_noon(10))
    state = SchedulerState.from_parts(clusters=[], nodes=[make_node()], jobs=[job], groups=[waiting], attempts=[])
    passes = Passes()
    assert passes.decide(state, NOON) == []
    assert passes.decide(state, seconds_after_noon(9)) == []
    assert len(passes.decide(state, seconds_after_noon(10))) == 1


def test_another_priority_changes_who_is_first() -> None:
    jobs = (make_job(1, workers=8), make_job(2, workers=8))
    drained = make_node("drained", state=NodeState.DRAINED)
    state, passes = full_state(*jobs, drained=drained), Passes()
    assert passes.decide(state, NOON) == []
    state.apply(as_change(PriorityChanged(jobs[1].id, 5, "someone")))
    state.apply(as_change(NodeSeen(replace(drained, state=NodeState.READY))))
    assert [decision.group for decision in passes.decide(state, NOON)] == [make_group(jobs[1]).id]


def test_a_state_that_was_loaded_anew_is_looked_at_as_a_whole() -> None:
    passes, job = Passes(), make_job()
    assert passes.decide(full_state(job), NOON) == []
    assert len(passes.decide(make_state(make_node(), jobs=(job,)), NOON)) == 1


def test_what_comes_while_decisions_are_carried_out_is_looked_at_by_the_next_pass() -> None:
    drained = make_node("drained", state=NodeState.DRAINED)
    state, passes = full_state(make_job(1), drained=drained), Passes()
    passes.decide(state, NOON)
    state.apply(as_change(NodeSeen(replace(drained, state=NodeState.READY))))
    state.apply(as_change(QueueQuotaSet(QueueQuota("beta", "h100", limit=1))))
    passes.take_back([])
    assert len(passes.decide(state, NOON)) == 1
