from dataclasses import replace

from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import GroupMoved, JobSubmitted, NodeSeen
from scheduler.core.model.group import State
from scheduler.core.model.job import Job
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import Fair
from tests.builders.core import NOON, as_change, make_group, make_job, make_node, make_shape
from tests.unit.core.deciding.backfilling.test_promises import GRACE_S, busy, limited, placed

NODES = [make_node(f"n{number}") for number in range(1, 4)]
RUNNING = {"n1": (8, 300), "n2": (8, 600), "n3": (8, 900)}
FIRST, SECOND, URGENT = make_job(1, workers=8), make_job(2, workers=7), make_job(9, workers=6, priority=9)


def kept(passes: Passes) -> dict[str, tuple[float, list[str]]]:
    """Return by group when each reservation begins, in seconds after noon, and its nodes."""
    return {
        each.group: ((each.begins - NOON).total_seconds() - GRACE_S, sorted(entry.id for entry in each.needs))
        for each in passes.promises.standing
    }


def come(state: SchedulerState, *jobs: Job) -> None:
    for job in jobs:
        state.apply(as_change(JobSubmitted(job, (make_group(job),))))


def group_of(job: Job) -> str:
    return make_group(job).id


def test_only_those_give_way_whose_room_is_needed_and_they_are_asked_again_in_the_same_pass() -> None:
    small_node, first, second = make_node("n1", {"h100": 7}), make_job(1, shape=make_shape(7)), make_job(2, workers=8)
    running = {**RUNNING, "n1": (7, 300)}
    state, passes = busy(small_node, *NODES[1:], running=running, jobs=(first, second)), Passes(reserve_after_s=0)
    placed(passes, state)
    assert kept(passes) == {group_of(first): (300, ["mixed/n1"]), group_of(second): (600, ["mixed/n2"])}
    undisturbed = passes.promises.standing[0]
    come(state, urgent := make_job(9, shape=make_shape(8), priority=9))
    placed(passes, state, 1)
    assert kept(passes) == {
        group_of(first): (300, ["mixed/n1"]),
        group_of(urgent): (600, ["mixed/n2"]),
        group_of(second): (900, ["mixed/n3"]),
    }
    assert undisturbed in passes.promises.standing


def test_where_all_are_given_the_last_one_gives_way_and_is_parked() -> None:
    state = busy(*NODES, running=RUNNING, jobs=(FIRST, SECOND))
    passes = Passes(most_promises=2, reserve_after_s=0)
    placed(passes, state)
    come(state, URGENT)
    placed(passes, state, 1)
    assert kept(passes) == {group_of(URGENT): (300, ["mixed/n1"]), group_of(FIRST): (600, ["mixed/n2"])}
    cancelled = replace(make_group(URGENT), state=State.CANCELLED, version=2)
    state.apply(as_change(GroupMoved(cancelled, None)))
    placed(passes, state, 2)
    assert set(kept(passes)) == {group_of(FIRST), group_of(SECOND)}


def test_who_comes_after_all_who_have_one_takes_nobodys() -> None:
    state = busy(*NODES, running=RUNNING, jobs=(FIRST, SECOND))
    passes = Passes(most_promises=2, reserve_after_s=0)
    placed(passes, state)
    before = passes.promises.standing
    come(state, make_job(3, workers=5))
    placed(passes, state, 1)
    assert passes.promises.standing == before


def test_who_counted_on_the_end_of_one_that_gives_way_is_asked_again_with_it() -> None:
    first, second, urgent = (
        limited(make_job(number, workers=workers, priority=number // 9), 100)
        for number, workers in ((1, 8), (2, 7), (9, 6))
    )
    state = busy(NODES[0], running={"n1": (8, 300)}, jobs=(first, second))
    passes = Passes(reserve_after_s=0)
    placed(passes, state)
    assert [begins for begins, _ in kept(passes).values()] == [300, 400 + GRACE_S]
    come(state, urgent)
    placed(passes, state, 1)
    assert {group: begins for group, (begins, _) in kept(passes).items()} == {
        group_of(urgent): 300,
        group_of(first): 400 + GRACE_S,
        group_of(second): 500 + 2 * GRACE_S,
    }


def test_that_two_who_have_one_change_places_in_the_queue_changes_no_reservation() -> None:
    ordering = Ordering(Fair(half_life_s=0.0))
    jobs = (make_job(1, workers=8, tenant="alpha"), make_job(2, workers=7, tenant="beta"))
    state, passes = busy(*NODES, running=RUNNING, jobs=jobs), Passes(reserve_after_s=0)
    state.reorder(ordering)
    placed(passes, state)
    before = passes.promises.standing
    come(state, small := limited(make_job(3, workers=1, tenant="beta"), 60))
    state.apply(as_change(NodeSeen(make_node("n4", {"h100": 1}))))
    assert placed(passes, state, 1) == [small.id]
    assert passes.promises.standing == before
