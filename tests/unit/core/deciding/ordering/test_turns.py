from scheduler.core.deciding.ordering.turns import Turns
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.job import Job
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import Fifo
from tests.builders.core import NOON, make_group, make_job, make_node, make_state, place_first

JOBS = (
    make_job(1, workers=4),
    make_job(2, workers=4),
    make_job(3, workers=4),
    make_job(4, workers=4, tenant="beta"),
    make_job(5, workers=4, tenant="beta"),
)


def turns(state: SchedulerState) -> Turns:
    return state.order.turns(state.waiters, NOON)


def order_told(state: SchedulerState, *jobs: Job) -> list[int]:
    return [turns(state).ahead_of(make_group(job).id) for job in jobs]


def test_by_first_come_the_queue_does_not_matter() -> None:
    state = make_state(make_node(), jobs=JOBS, ordering=Ordering(Fifo()))
    assert order_told(state, *JOBS) == [0, 1, 2, 3, 4]


def test_by_shares_queues_take_turns() -> None:
    state = make_state(make_node(), jobs=JOBS)
    assert order_told(state, *JOBS) == [0, 2, 4, 1, 3]


def test_who_holds_something_comes_after_who_holds_nothing() -> None:
    state = place_first(make_state(make_node(), jobs=JOBS))
    assert order_told(state, *JOBS[1:]) == [1, 3, 0, 2]
    by_asked = {found.asked[0].tenant: found for found in state.waiters.classes.all.values()}
    assert turns(state).of(by_asked["beta"]) < turns(state).of(by_asked["alpha"])


def test_a_line_hands_out_by_what_has_changed_meanwhile() -> None:
    state = make_state(make_node(), jobs=JOBS)
    now = turns(state)
    line = now.line((*state.waiters.queued.place(make_group(job).id), job.id) for job in JOBS)
    assert line.pop() == JOBS[0].id
    before = now.version
    now.changed("alpha")
    line.changed("alpha")
    assert now.version > before
    assert line.pop() == JOBS[1].id  # nothing was held for the first


def test_what_a_place_rests_on_is_told_with_figures() -> None:
    state = place_first(make_state(make_node(), jobs=JOBS))
    found = turns(state).standing(JOBS[2], make_group(JOBS[2]).id)
    assert (found.policy, found.queue, found.place, found.priority) == ("fair", "alpha", 2, 0)
    assert [(share.queue, share.share, share.weight) for share in found.shares] == [("alpha", 0.05, 1)]
    assert (
        turns(make_state(jobs=JOBS, ordering=Ordering(Fifo()))).standing(JOBS[0], make_group(JOBS[0]).id).shares == ()
    )
