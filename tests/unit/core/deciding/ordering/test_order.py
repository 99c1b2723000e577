from dataclasses import replace
from datetime import timedelta

from scheduler.core.deciding.ordering.order import STEP
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.group import StopReason
from scheduler.core.model.identifiers import group_id
from scheduler.core.model.job import Job
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import LeastAttained, ShortestFirst
from tests.builders.core import NOON, World, make_group, make_job, make_node, make_state, seconds_after_noon

LIMITED = [
    replace(job, spec=replace(job.spec, time_limit_s=limit)) for job, limit in ((make_job(1), 500), (make_job(2), 100))
]


def first_to_last(ordering: Ordering, *jobs: Job) -> list[str]:
    state = make_state(make_node(), jobs=jobs, ordering=ordering)
    return [job.id for job in sorted(jobs, key=lambda job: state.order.key(job, make_group(job)))]


def test_a_limit_says_how_long_a_job_runs_where_nothing_else_does() -> None:
    unknown = make_job(3)
    want = [LIMITED[1].id, LIMITED[0].id, unknown.id]
    assert first_to_last(Ordering(ShortestFirst()), unknown, *LIMITED) == want


def test_what_such_jobs_did_is_nearer_than_a_limit() -> None:
    state = make_state(make_node(), jobs=tuple(LIMITED), ordering=Ordering(ShortestFirst()))
    for _ in range(3):
        state.run_times.note(LIMITED[0], 20.0)
    (level, moment) = state.order.key(LIMITED[0], make_group(LIMITED[0]))[1:3]
    assert (level, moment) == (20.0, LIMITED[0].submitted_at)


def test_what_an_attempt_had_counts_once_it_waits_again_and_no_more_once_it_is_over() -> None:
    world = World()
    world.see_cluster("mixed")
    world.see_node(make_node())
    world.submit(make_job(1, workers=8, retries=1))
    world.decide()
    group = group_id(make_job(1).id, 0)
    for event in (Event.WORKERS_CREATED, Event.ALL_READY, Event.STOP, Event.GONE):
        world.move(group, event, reason=StopReason.WORKER_FAILED if event is Event.STOP else None)
    state = make_state(ordering=Ordering(LeastAttained((1.0,))))
    for change in world.changes:
        state.apply(replace(change, at=seconds_after_noon(10 * change.number)))
    assert state.waiters.queued.place(group)[1][1] == 1.0
    held_s, attained_s = state.order.service.of(group)
    assert held_s > 0
    assert attained_s == 8 * held_s


def test_places_are_looked_at_anew_at_most_every_few_minutes_by_the_times_of_the_feed() -> None:
    order = make_state(ordering=Ordering(LeastAttained())).order
    moments = (NOON, NOON + STEP - timedelta(seconds=1), NOON + STEP, NOON, NOON + 2 * STEP)
    assert [order.is_stale(at) for at in moments] == [True, False, True, False, True]
    assert not make_state().order.is_stale(NOON)
