from dataclasses import replace

from scheduler.core.deciding.backfilling.hopes import TRY_AGAIN_S
from scheduler.core.deciding.backfilling.promises import MOST_PROMISES, OVERDUE_S
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import FIRST_GENERATION, Attempt
from scheduler.core.model.change import GroupMoved, JobSubmitted, NodeSeen
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import attempt_id
from scheduler.core.model.job import Dependency, Job
from scheduler.core.model.node import Cluster, Node, NodeState
from tests.builders.core import (
    NOON,
    as_change,
    make_allocation,
    make_group,
    make_job,
    make_node,
    make_shape,
    seconds_after_noon,
)

GRACE_S = 10


def limited(job: Job, limit_s: int | None) -> Job:
    return replace(job, spec=replace(job.spec, time_limit_s=limit_s, grace_s=GRACE_S))


def busy(*nodes: Node, running: dict[str, tuple[int, int]], jobs: tuple[Job, ...]) -> SchedulerState:
    """Return a state in which on each of some nodes so many devices are held by a job with a limit, since noon."""
    live = {
        node: limited(make_job(900 + number), limit_s) for number, (node, (_, limit_s)) in enumerate(running.items())
    }
    groups = {node: replace(make_group(job, State.RUNNING), attempts=1) for node, job in live.items()}
    attempts = [
        Attempt(
            id=attempt_id(groups[node].id, 1),
            group_id=groups[node].id,
            number=1,
            generation=FIRST_GENERATION,
            state=State.RUNNING,
            stop_reason=None,
            allocations=(make_allocation(tuple(range(devices)), node=f"mixed/{node}"),),
            notes=(),
            workers=(),
            placed_at=NOON,
        )
        for node, (devices, _) in running.items()
    ]
    return SchedulerState.from_parts(
        clusters=[Cluster("mixed", "local")],
        nodes=nodes,
        jobs=[*live.values(), *jobs],
        groups=[*groups.values(), *map(make_group, jobs)],
        attempts=attempts,
    )


def placed(passes: Passes, state: SchedulerState, at_s: float = 0) -> list[str]:
    """Return the jobs that a pass places."""
    decisions = passes.decide(state, seconds_after_noon(at_s))
    assert all(isinstance(decision, Placed) for decision in decisions)
    return [state.groups[decision.group].job_id for decision in decisions]


GANG = make_job(1, workers=8)
NODE = make_node()


def test_who_would_delay_the_first_in_the_queue_is_not_placed_though_there_is_room() -> None:
    small = make_job(2, workers=4)
    state, passes = busy(NODE, running={"n1": (4, 600)}, jobs=(GANG, small)), Passes(reserve_after_s=0)
    assert placed(passes, state) == []
    (kept,) = passes.promises.standing
    assert (kept.group, kept.begins) == (make_group(GANG).id, seconds_after_noon(600 + GRACE_S))


def test_who_ends_before_by_an_enforced_limit_is_placed_there() -> None:
    short, long = (limited(make_job(number, workers=4), limit_s) for number, limit_s in ((3, 600), (2, 601)))
    state, passes = busy(NODE, running={"n1": (4, 600)}, jobs=(GANG, long, short)), Passes(reserve_after_s=0)
    assert placed(passes, state) == [short.id]


def test_who_takes_nothing_that_is_kept_is_placed_however_long_it_runs() -> None:
    small = make_job(2, workers=2)
    state, passes = (
        busy(NODE, running={"n1": (6, 600)}, jobs=(make_job(1, workers=6), small)),
        Passes(reserve_after_s=0),
    )
    assert placed(passes, state) == [small.id]


def test_the_first_in_the_queue_uses_what_is_kept_for_it_as_soon_as_it_is_enough() -> None:
    state, passes = busy(NODE, running={"n1": (4, 600)}, jobs=(GANG, make_job(2, workers=4))), Passes(reserve_after_s=0)
    placed(passes, state)
    end_all(state, at_s=30)
    assert placed(passes, state, 30) == [GANG.id]
    assert len(passes.promises) == 0


def test_a_job_that_comes_later_and_goes_first_takes_the_place_of_the_last_reservation() -> None:
    jobs = tuple(limited(make_job(number, workers=8 + number), 100) for number in range(1, MOST_PROMISES + 1))
    nodes = [make_node(f"n{number}") for number in range(1, 4)]
    state, passes = (
        busy(*nodes, running={"n1": (8, 600), "n2": (8, 600), "n3": (8, 600)}, jobs=jobs),
        Passes(reserve_after_s=0),
    )
    placed(passes, state)
    assert len(passes.promises) == MOST_PROMISES
    urgent = make_job(99, workers=24, priority=9)
    state.apply(as_change(JobSubmitted(urgent, (make_group(urgent),))))
    placed(passes, state, 1)
    groups = {kept.group for kept in passes.promises.standing}
    assert make_group(urgent).id in groups
    assert make_group(jobs[-1]).id not in groups


def test_a_reservation_whose_node_takes_no_work_any_more_is_made_anew_elsewhere() -> None:
    nodes, whole_node = (make_node("n1"), make_node("n2")), make_job(1, shape=make_shape(8))
    state, passes = (
        busy(*nodes, running={"n1": (4, 300), "n2": (4, 600)}, jobs=(whole_node,)),
        Passes(reserve_after_s=0),
    )
    placed(passes, state)
    assert [entry.id for kept in passes.promises.standing for entry in kept.needs] == ["mixed/n1"]
    state.apply(as_change(NodeSeen(replace(nodes[0], state=NodeState.DRAINED))))
    placed(passes, state, 1)
    assert [entry.id for kept in passes.promises.standing for entry in kept.needs] == ["mixed/n2"]


def test_one_that_is_overdue_is_made_anew_when_its_time_comes_though_nothing_else_changed() -> None:
    state, passes = busy(NODE, running={"n1": (4, 600)}, jobs=(GANG,)), Passes(reserve_after_s=0)
    placed(passes, state)
    overdue_s = 600 + GRACE_S + OVERDUE_S
    assert passes.next_due(state, NOON) == seconds_after_noon(overdue_s)
    placed(passes, state, overdue_s + 1)
    assert [kept.begins for kept in passes.promises.standing] == [seconds_after_noon(overdue_s + 1)]


def test_what_is_kept_for_one_who_gives_up_is_there_for_the_others() -> None:
    small = make_job(2, workers=4)
    state, passes = busy(NODE, running={"n1": (4, 600)}, jobs=(GANG, small)), Passes(reserve_after_s=0)
    assert placed(passes, state) == []
    cancelled = replace(make_group(GANG), state=State.CANCELLED, version=2)
    state.apply(as_change(GroupMoved(cancelled, None)))
    assert placed(passes, state, 1) == [small.id]


def end_all(state: SchedulerState, *, at_s: float) -> None:
    """Let all that runs succeed."""
    for live in list(state.live.values()):
        ended = replace(live.group, state=State.SUCCEEDED, version=live.group.version + 1)
        state.apply(replace(as_change(GroupMoved(ended, live.attempt)), at=seconds_after_noon(at_s)))


def test_who_has_not_waited_long_is_promised_nothing_until_it_has() -> None:
    small, passes = make_job(2, workers=4), Passes(reserve_after_s=300)
    waits = replace(GANG, submitted_at=NOON)
    state = busy(NODE, running={"n1": (4, 3_600)}, jobs=(waits,))
    placed(passes, state)
    assert len(passes.promises) == 0
    assert passes.next_due(state, NOON) == seconds_after_noon(300)
    placed(passes, state, 300)
    assert [kept.group for kept in passes.promises.standing] == [make_group(GANG).id]
    state.apply(as_change(JobSubmitted(small, (make_group(small),))))
    assert placed(passes, state, 301) == []


def test_who_is_parked_has_a_reservation_as_soon_as_one_may_be_given() -> None:
    jobs = tuple(make_job(number, workers=8 - number) for number in range(1, 4))
    state, passes = busy(NODE, running={"n1": (8, 600)}, jobs=jobs), Passes(most_promises=1, reserve_after_s=0)
    for number, job in enumerate(jobs):
        placed(passes, state, number)
        assert [kept.group for kept in passes.promises.standing] == [make_group(job).id]
        cancelled = replace(make_group(job), state=State.CANCELLED, version=2)
        state.apply(as_change(GroupMoved(cancelled, None)))
    assert placed(passes, state, 9) == []
    assert len(passes.promises) == len(passes.promises.hopes) == 0


def test_who_could_have_none_for_nothing_ends_is_asked_again_later() -> None:
    state, passes = busy(NODE, running={"n1": (4, 600)}, jobs=(make_job(1, workers=16),)), Passes(reserve_after_s=0)
    state.apply(as_change(NodeSeen(drained := make_node("n2", state=NodeState.DRAINED))))
    placed(passes, state)
    assert (len(passes.promises), passes.next_due(state, NOON)) == (0, seconds_after_noon(TRY_AGAIN_S))
    state.apply(as_change(NodeSeen(replace(drained, devices=make_node(devices={"h100": 9}).devices))))
    placed(passes, state, TRY_AGAIN_S)
    assert passes.next_due(state, seconds_after_noon(TRY_AGAIN_S)) == seconds_after_noon(2 * TRY_AGAIN_S)


def test_behind_one_of_its_kind_that_waits_for_something_else_a_gang_has_a_reservation_too() -> None:
    awaited = make_job(3)
    follower = make_job(1, workers=8, after=(Dependency(awaited.id),))
    state = busy(NODE, running={"n1": (4, 600)}, jobs=(follower, make_job(2, workers=8), awaited))
    passes = Passes(reserve_after_s=0)
    placed(passes, state)
    assert [kept.group for kept in passes.promises.standing] == [make_group(make_job(2)).id]
