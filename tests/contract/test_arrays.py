"""Arrays of jobs, on both databases: written together, counted together, and no more at once than may be."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.group import State
from scheduler.core.model.job import ArrayMember, Job, member_name
from scheduler.ports.journal import IdempotencyKey, Outcome, Rejected, Rejection, SubmitJob, Unchanged, Written
from scheduler.ports.views import JobFilter
from scheduler.services.follow_changes import state_of
from tests.builders.database import MANY_JOBS, World, refused, take, written

ARRAY, OTHER = "0000000000000000", "0000000000000001"
KEY = IdempotencyKey("once", "a" * 64)
ALL = JobFilter()


def members(
    world: World, count: int = 4, *, array: str = ARRAY, name: str = "sweep", most_at_once: int | None = 2
) -> list[Job]:
    return [
        world.make_job(name=member_name(name, index), array=ArrayMember(array, name, index, count, most_at_once))
        for index in range(count)
    ]


def submit(
    world: World, jobs: Sequence[Job], *, key: IdempotencyKey | None = None, most: int = MANY_JOBS
) -> list[Outcome]:
    items = [SubmitJob(job, None if number else key, most) for number, job in enumerate(jobs)]
    return world.storage.journal.write_array(items)


def listed(world: World, where: JobFilter) -> list[str]:
    found = [view.job.spec.name for view in world.storage.views.jobs(where, before=None, limit=99)]
    assert [row.name for row in world.storage.views.job_rows(where, before=None, limit=99)] == found
    return found


def test_the_jobs_of_an_array_are_written_together_and_found_by_it(world: World) -> None:
    jobs, single = members(world), world.submit()
    assert all(isinstance(outcome, Written) for outcome in submit(world, jobs))
    in_array = ["sweep-3", "sweep-2", "sweep-1", "sweep-0"]
    assert listed(world, JobFilter(array=ARRAY)) == in_array == listed(world, JobFilter(in_array=True))
    assert listed(world, JobFilter(in_array=False)) == [single.spec.name]
    assert listed(world, JobFilter(array_name="sweep")) == in_array
    assert listed(world, JobFilter(array=OTHER)) == listed(world, JobFilter(array_name="sweep-0")) == []
    assert world.storage.views.job_rows(JobFilter(array=ARRAY), before=None, limit=1)[0].array == ARRAY
    assert len(world.storage.views.live_jobs(JobFilter(array=ARRAY), before=None, limit=99)) == 4


def test_none_is_written_where_one_is_refused(world: World) -> None:
    jobs = members(world)
    jobs[2] = replace(jobs[2], spec=replace(jobs[2].spec, chips=world.make_job("abacus").spec.chips))
    assert [refused(outcome) for outcome in submit(world, jobs) if isinstance(outcome, Rejected)] == [
        Rejection.UNKNOWN_CHIP
    ]
    assert listed(world, ALL) == []
    outcomes = submit(world, members(world), most=3)
    assert [isinstance(outcome, Written) for outcome in outcomes] == [True, True, True, False]
    assert refused(outcomes[-1]) is Rejection.TOO_MANY_JOBS
    assert listed(world, ALL) == []


def test_one_key_stands_for_the_whole_array_also_where_there_is_no_room_for_another(world: World) -> None:
    first = members(world)
    submit(world, first, key=KEY)
    again = members(world, array=OTHER)
    assert submit(world, again, key=KEY, most=5) == [Unchanged(first[0].id, State.QUEUED)]
    assert len(listed(world, ALL)) == 4
    other_body = IdempotencyKey(KEY.key, "b" * 64)
    assert refused(submit(world, again, key=other_body)[0]) is Rejection.KEY_REUSED


def test_an_array_is_bounded(world: World) -> None:
    item = SubmitJob(members(world, 1)[0], None, MANY_JOBS)
    with pytest.raises(ValueError, match="10000"):
        world.storage.journal.write_array([item] * 10_001)


def test_arrays_are_listed_newest_first_with_how_all_their_jobs_stand(world: World) -> None:
    jobs = members(world)
    submit(world, jobs)
    submit(world, members(world, 2, array=OTHER, name="other", most_at_once=None))
    world.submit()
    world.see(world.place(jobs[1], take("n1", 0)), Event.ALL_SUCCEEDED)
    world.cancel(jobs[2])
    arrays = world.storage.views.arrays(ALL, before=None, limit=9)
    assert [(view.member.array, view.member.name, view.member.count) for view in arrays] == [
        (OTHER, "other", 2),
        (ARRAY, "sweep", 4),
    ]
    assert arrays[1].states == ((State.QUEUED, 2), (State.SUCCEEDED, 1), (State.CANCELLED, 1))
    assert world.storage.views.arrays(ALL, before=OTHER, limit=9) == arrays[1:]
    assert world.storage.views.arrays(ALL, before=None, limit=1) == arrays[:1]


def test_an_array_is_found_by_its_jobs_and_counts_them_all(world: World) -> None:
    jobs = members(world)
    submit(world, jobs)
    world.cancel(jobs[3])
    views = world.storage.views
    for where in (
        JobFilter(states=frozenset({State.CANCELLED})),
        JobFilter(array_name="sweep", tenant=jobs[0].tenant),
        JobFilter(chip="h100", submitted_by="ann"),
    ):
        (array,) = views.arrays(where, before=None, limit=9)
        assert array.states == ((State.QUEUED, 3), (State.CANCELLED, 1))
    for where in (JobFilter(tenant="beta"), JobFilter(array_name="swee"), JobFilter(states=frozenset({State.RUNNING}))):
        assert views.arrays(where, before=None, limit=9) == []


def test_no_more_jobs_of_an_array_are_placed_than_may_run_at_once_whoever_decides_it(world: World) -> None:
    jobs = members(world)
    submit(world, jobs)
    outcomes = world.storage.journal.write([world.placing(job, take("n1", slot)) for slot, job in enumerate(jobs[:3])])
    assert [isinstance(outcome, Written) for outcome in outcomes] == [True, True, False]
    assert isinstance(outcomes[2], Rejected)
    assert (outcomes[2].why, "runs 2 at once" in outcomes[2].detail) == (Rejection.ILLEGAL, True)
    assert refused(world.write(world.placing(jobs[3], take("n1", 3)))) is Rejection.ILLEGAL
    world.end(world.group(jobs[0]).latest_attempt)
    written(world.write(world.placing(jobs[3], take("n1", 3))))
    assert state_of(world.storage.views.snapshot()).members_holding.of(ARRAY) == 2


def test_an_array_without_a_limit_is_placed_as_it_fits(world: World) -> None:
    jobs = members(world, most_at_once=None)
    submit(world, jobs)
    outcomes = world.storage.journal.write([world.placing(job, take("n1", slot)) for slot, job in enumerate(jobs)])
    assert all(isinstance(outcome, Written) for outcome in outcomes)
