"""Jobs that come after others, on both databases: what followers know, and what the database refuses."""

import threading

import pytest

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.group import State
from scheduler.core.model.job import ArrayMember, Condition, Dependency, Job, member_name
from scheduler.ports.journal import Rejected, Rejection, SubmitJob
from scheduler.services.follow_changes import state_of
from tests.builders.database import MANY_JOBS, World, refused, take

ARRAY = "0000000000000000"


def after(world: World, *jobs: Job, condition: Condition = Condition.SUCCEEDED, **differing: object) -> Job:
    return world.make_job(after=tuple(Dependency(job.id, condition) for job in jobs), **differing)  # type: ignore[arg-type]


def after_array(world: World, *, condition: Condition = Condition.SUCCEEDED, tenant: str = "alpha") -> Job:
    return world.make_job(after=(Dependency(ARRAY, condition, is_array=True),), tenant=tenant)


def submit_array(world: World, count: int = 3) -> list[Job]:
    members = [ArrayMember(ARRAY, "sweep", index, count) for index in range(count)]
    jobs = [world.make_job(name=member_name("sweep", member.index), array=member) for member in members]
    world.storage.journal.write_array([SubmitJob(job, None, MANY_JOBS) for job in jobs])
    return jobs


def followed(world: World) -> SchedulerState:
    """The state that followed the whole feed; it is the one that is built from the database."""
    views = world.storage.views
    state = SchedulerState()
    for change in views.changes_after(0, limit=999):
        state.apply(change)
    assert state.digest() == state_of(views.snapshot()).digest()
    return state


def test_what_became_of_a_job_is_known_of_those_that_come_after_it(world: World) -> None:
    first, second = world.submit(), world.submit()
    early = world.submit(after(world, first, second))
    assert followed(world).jobs[early.id].settled == ()
    world.see(world.place(first), Event.ALL_SUCCEEDED)
    assert followed(world).jobs[early.id].settled == ((first.id, State.SUCCEEDED),)
    world.cancel(second)
    late = world.submit(after(world, second, first))
    both = followed(world).jobs
    assert both[early.id].settled == ((first.id, State.SUCCEEDED), (second.id, State.CANCELLED))
    assert both[late.id].settled == ((second.id, State.CANCELLED), (first.id, State.SUCCEEDED))


@pytest.mark.parametrize(
    ("condition", "event", "becomes"),
    [
        (Condition.SUCCEEDED, None, State.QUEUED),
        (Condition.SUCCEEDED, Event.ALL_SUCCEEDED, State.PLACED),
        (Condition.SUCCEEDED, Event.STOP, State.QUEUED),
        (Condition.ENDED, None, State.QUEUED),
        (Condition.ENDED, Event.STOP, State.PLACED),
    ],
)
def test_nothing_is_placed_before_its_time_whoever_decides_it(
    world: World, condition: Condition, event: Event | None, becomes: State
) -> None:
    first = world.submit()
    later = world.submit(after(world, first, condition=condition))
    attempt = world.place(first)
    if event is Event.STOP:
        world.end(attempt)
    elif event is not None:
        world.see(attempt, event)
    outcome = world.write(world.placing(later, take("n2", 0)))
    assert world.group(later).state is becomes
    if isinstance(outcome, Rejected):
        assert (outcome.why, first.id in outcome.detail) == (Rejection.ILLEGAL, True)


def test_a_job_that_there_is_not_and_another_tenants_cannot_be_waited_for(world: World) -> None:
    foreign = world.submit(world.make_job(tenant="beta"))
    for job in (after(world, world.make_job()), after(world, foreign)):
        assert refused(world.write(SubmitJob(job, None, MANY_JOBS))) is Rejection.UNKNOWN_JOB
    itself = world.make_job()
    circular = after(world, itself)
    assert refused(world.write(SubmitJob(circular, None, MANY_JOBS))) is Rejection.UNKNOWN_JOB


def test_a_job_that_ends_while_another_is_submitted_after_it_is_told_of_in_order(world: World) -> None:
    for _ in range(10):
        first = world.submit()
        attempt = world.place(first)
        later = after(world, first)
        ending = threading.Thread(target=world.see, args=(attempt, Event.ALL_SUCCEEDED))
        ending.start()
        world.submit(later)
        ending.join()
        assert followed(world).jobs[later.id].settled == ((first.id, State.SUCCEEDED),)
        world.cancel(later)


def test_what_became_of_all_jobs_of_an_array_is_known_of_those_that_come_after_it(world: World) -> None:
    members = submit_array(world)
    early = world.submit(after_array(world))
    for number, member in enumerate(members, 1):
        assert followed(world).jobs[early.id].settled == ()
        if number == 2:
            world.cancel(member)
        else:
            world.see(world.place(member, take("n1", number)), Event.ALL_SUCCEEDED)
    late = world.submit(after_array(world, condition=Condition.ENDED))
    both = followed(world).jobs
    assert both[early.id].settled == both[late.id].settled == ((ARRAY, State.CANCELLED),)


def test_who_starts_while_an_array_is_half_over_knows_of_those_that_failed_before(world: World) -> None:
    first, *others = submit_array(world)
    world.end(world.place(first))
    started = state_of(world.storage.views.snapshot())
    assert started.dependents.arrays.ended() == [(ARRAY, [State.FAILED])]
    later, change = world.submit(after_array(world)), world.storage.views.last_change()
    for member in others:
        world.see(world.place(member), Event.ALL_SUCCEEDED)
    for each in world.storage.views.changes_after(change - 1, limit=99):
        started.apply(each)
    assert started.jobs[later.id].settled == ((ARRAY, State.FAILED),)


@pytest.mark.parametrize("condition", Condition)
def test_nothing_is_placed_before_all_of_an_array_is_over_whoever_decides_it(
    world: World, condition: Condition
) -> None:
    *others, last = submit_array(world)
    later = world.submit(after_array(world, condition=condition))
    for member in others:
        world.see(world.place(member), Event.ALL_SUCCEEDED)
    outcome = world.write(world.placing(later, take("n2", 0)))
    assert isinstance(outcome, Rejected)
    assert (outcome.why, f"comes after array {ARRAY}" in outcome.detail) == (Rejection.ILLEGAL, True)
    world.cancel(last)
    written = not isinstance(world.write(world.placing(later, take("n2", 0))), Rejected)
    assert written is (condition is Condition.ENDED)


def test_an_array_that_there_is_not_and_another_tenants_cannot_be_waited_for(world: World) -> None:
    job = world.submit()
    misnamed = world.make_job(after=(Dependency(job.id, is_array=True),))
    for refusable in (after_array(world), misnamed):
        assert refused(world.write(SubmitJob(refusable, None, MANY_JOBS))) is Rejection.UNKNOWN_JOB
    submit_array(world)
    for refusable in (after_array(world, tenant="beta"), world.make_job(after=(Dependency(ARRAY),))):
        assert refused(world.write(SubmitJob(refusable, None, MANY_JOBS))) is Rejection.UNKNOWN_JOB


def test_the_last_job_of_an_array_that_ends_while_another_is_submitted_is_told_of_in_order(world: World) -> None:
    for number in range(10):
        array = f"{number:016}"
        members = [world.make_job(array=ArrayMember(array, "sweep", index, 2)) for index in range(2)]
        world.storage.journal.write_array([SubmitJob(job, None, MANY_JOBS) for job in members])
        world.cancel(members[0])
        attempt = world.place(members[1])
        later = world.make_job(after=(Dependency(array, is_array=True),))
        ending = threading.Thread(target=world.see, args=(attempt, Event.ALL_SUCCEEDED))
        ending.start()
        world.submit(later)
        ending.join()
        assert followed(world).jobs[later.id].settled == ((array, State.CANCELLED),)
        world.cancel(later)
