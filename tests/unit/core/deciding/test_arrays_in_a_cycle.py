"""Arrays of which only so many jobs run at once, from decision to decision."""

from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.decision import Placed, Waiting
from scheduler.core.model.group import State
from scheduler.core.model.job import ArrayMember, Job
from scheduler.core.model.reason import ArrayIsFull, TooFewFree
from tests.builders.core import NOON, World, make_group, make_job, make_node, make_state, place_first
from tests.oracle.decisions import decide

FULL = ArrayIsFull("a1", 2)


def members(count: int, *, most_at_once: int | None = 2, workers: int = 1) -> tuple[Job, ...]:
    return tuple(
        make_job(index, workers=workers, array=ArrayMember("a1", "sweep", index, count, most_at_once))
        for index in range(count)
    )


def placed(state: SchedulerState) -> list[str]:
    return [decision.group for decision in decide(state, NOON) if isinstance(decision, Placed)]


def test_a_cycle_places_so_many_of_an_array_and_holds_up_nobody_behind_them() -> None:
    jobs = (*members(4), make_job(9))
    state = make_state(make_node(), jobs=jobs)
    first, second, third, fourth, other = decide(state, NOON)
    assert all(isinstance(decision, Placed) for decision in (first, second, other))
    assert (third, fourth) == tuple(Waiting(make_group(job).id, (FULL,)) for job in jobs[2:4])


def test_those_that_hold_something_already_count_and_trying_out_does_not() -> None:
    jobs = members(4)
    state = place_first(make_state(make_node(), jobs=jobs))
    for _ in range(2):
        assert placed(state) == [make_group(jobs[1]).id]


def test_the_next_one_runs_when_one_has_ended() -> None:
    world = World()
    world.see_node(make_node())
    for job in members(5):
        world.submit(job)
    world.decide()
    assert [group.state for group in world.groups.values()].count(State.PLACED) == 2
    assert placed(world.present()) == []
    world.move(next(iter(world.groups)), Event.ALL_SUCCEEDED)
    assert len(placed(world.present())) == 1
    world.decide()
    followed = SchedulerState()
    for change in world.changes:
        followed.apply(change)
    assert [followed.members_holding.of("a1"), world.present().members_holding.of("a1")] == [2, 2]


def test_a_member_is_told_of_the_limit_and_of_what_else_it_lacks() -> None:
    jobs = members(3, workers=3)
    state = place_first(make_state(make_node(), jobs=jobs))
    state = place_first(state, number=2)
    full, lacking = explain(state, make_group(jobs[2]).id, NOON).reasons
    assert full == FULL
    assert isinstance(lacking, TooFewFree)


def test_without_a_limit_all_that_fit_are_placed() -> None:
    state = make_state(make_node(), jobs=members(9, most_at_once=None))
    assert len(placed(state)) == 8
