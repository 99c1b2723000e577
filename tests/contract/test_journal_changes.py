"""Many jobs together, and other priorities, on both databases."""

import pytest

from scheduler.core.lifecycle.events import Event
from scheduler.core.model.access.audit import Actor
from scheduler.core.model.change import JobSubmitted, PriorityChanged
from scheduler.core.model.group import State
from scheduler.ports.journal import (
    ChangePriority,
    IdempotencyKey,
    Rejected,
    Rejection,
    SubmitJob,
    Unchanged,
    Written,
)
from scheduler.ports.records.audit import AuditFilter
from scheduler.ports.views import JobFilter
from tests.builders.database import MANY_JOBS, NOON, TENANT, World, refused, written

ADA = Actor("ada", "t1", TENANT, "submit_jobs", "r")


def together(world: World, *items: SubmitJob) -> list[object]:
    return list(world.storage.journal.acting(ADA).write_together(items))


def test_jobs_that_are_submitted_together_are_all_there_with_feed_and_trail(world: World) -> None:
    before = world.storage.views.last_change()
    jobs = [world.make_job() for _ in range(3)]
    outcomes = together(world, *(SubmitJob(job, None, MANY_JOBS) for job in jobs))
    assert outcomes == [Written(job.id, State.QUEUED, before + place) for place, job in enumerate(jobs, start=1)]
    bodies = [change.body for change in world.storage.views.changes_after(before, limit=9)]
    assert [body.job for body in bodies if isinstance(body, JobSubmitted)] == jobs
    assert len(world.storage.audit.entries(AuditFilter(), before=None, limit=9)) == 3


def test_one_that_is_refused_keeps_all_of_them_out(world: World) -> None:
    before = world.storage.views.last_change()
    good, bad = world.make_job(), world.make_job(chips="abacus")
    outcomes = together(world, SubmitJob(good, None, MANY_JOBS), SubmitJob(bad, None, MANY_JOBS))
    assert outcomes[1] == Rejected(Rejection.UNKNOWN_CHIP, "abacus")
    assert world.storage.views.job(good.id, tenant=None) is None
    assert world.storage.views.last_change() == before
    assert world.storage.audit.entries(AuditFilter(), before=None, limit=9) == []


def test_the_limit_of_live_jobs_counts_those_of_the_same_submission(world: World) -> None:
    items = [SubmitJob(world.make_job(), None, 2) for _ in range(3)]
    assert isinstance(together(world, *items)[2], Rejected)
    assert all(isinstance(outcome, Written) for outcome in together(world, *items[:2]))


def test_the_same_keys_name_the_same_jobs(world: World) -> None:
    keys = [IdempotencyKey(f"k·{index}", "sha") for index in range(2)]
    first = [SubmitJob(world.make_job(), key, MANY_JOBS) for key in keys]
    again = [SubmitJob(world.make_job(), key, MANY_JOBS) for key in keys]
    together(world, *first)
    assert together(world, *again) == [Unchanged(item.job.id, State.QUEUED) for item in first]
    assert together(world) == []


def change(world: World, job: str, priority: int, **differing: str) -> object:
    item = ChangePriority(job, differing.get("tenant", TENANT), priority, "ada", NOON)
    return world.storage.journal.acting(ADA).change(item)


def test_a_changed_priority_is_in_job_feed_and_trail(world: World) -> None:
    job = world.submit()
    before = world.storage.views.last_change()
    assert change(world, job.id, 7) == Written(job.id, State.QUEUED, before + 1)
    assert change(world, job.id, 7) == Unchanged(job.id, State.QUEUED)
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert view.job.spec.priority == 7
    (told,) = world.storage.views.changes_after(before, limit=9)
    assert (told.body, told.tenant, told.job) == (PriorityChanged(job.id, 7, "ada"), TENANT, job.id)
    (entry,) = world.storage.audit.entries(AuditFilter(), before=None, limit=9)
    assert (entry.object_name, entry.before, entry.after) == (job.id, '{"priority":0}', '{"priority":7}')


def test_a_priority_of_no_such_job_or_of_one_that_is_over_is_refused(world: World) -> None:
    job = world.submit()
    assert refused(change(world, "0" * 16, 7)) is Rejection.NOT_FOUND  # type: ignore[arg-type]
    assert refused(change(world, job.id, 7, tenant="beta")) is Rejection.NOT_FOUND  # type: ignore[arg-type]
    world.see(world.place(job), Event.ALL_SUCCEEDED)
    assert change(world, job.id, 7) == Rejected(Rejection.IS_OVER, "succeeded")


def test_a_guard_is_asked_with_what_people_change_of_the_job(world: World) -> None:
    job = world.submit(world.make_job(priority=3))

    def guard(present: object) -> None:
        raise PermissionError(present)

    with pytest.raises(PermissionError, match=r"\(3, 1, 1\)"):
        world.storage.journal.change(ChangePriority(job.id, None, 9, "ada", NOON), guard)


def test_unfinished_jobs_are_found_newest_first_by_filter(world: World) -> None:
    jobs = [world.submit(world.make_job(labels=(("sweep", "a"),))) for _ in range(3)]
    other = world.submit()
    written(world.cancel(jobs[1]))
    views = world.storage.views
    assert views.live_jobs(JobFilter(), before=None, limit=9) == [other.id, jobs[2].id, jobs[0].id]
    swept = JobFilter(tenant=TENANT, label=("sweep", "a"))
    assert views.live_jobs(swept, before=None, limit=9) == [jobs[2].id, jobs[0].id]
    assert views.live_jobs(swept, before=jobs[2].id, limit=9) == [jobs[0].id]
    assert views.live_jobs(swept, before=None, limit=1) == [jobs[2].id]
    assert views.live_jobs(JobFilter(tenant="beta"), before=None, limit=9) == []
