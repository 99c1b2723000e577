"""Submitting jobs: what is written, and what is refused without a trace."""

from dataclasses import replace

from scheduler.core.model.change import JobSubmitted
from scheduler.core.model.group import State
from scheduler.core.model.job import AnyOf, ExactMix
from scheduler.ports.journal import IdempotencyKey, Rejection, SubmitJob, Unchanged
from tests.builders.database import MANY_JOBS, World, refused, written


def submitting(world: World, key: IdempotencyKey | None = None, **differing: object) -> SubmitJob:
    return SubmitJob(world.make_job(**differing), key, MANY_JOBS)  # type: ignore[arg-type] # fields of a specification


def test_a_submitted_job_is_there_with_one_queued_group(world: World) -> None:
    job = world.make_job(ExactMix((("h100", 2), ("mi300x", 1))), workers=3, retries=2, labels=(("team", "x"),))
    outcome = written(world.write(SubmitJob(job, None, MANY_JOBS)))
    view = world.storage.views.job(job.id, tenant="alpha")
    assert view is not None
    assert (view.job, view.state, view.attempts) == (job, State.QUEUED, ())
    assert [(group.index, group.state, group.version) for group in view.groups] == [(0, State.QUEUED, 1)]
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=10)
    assert change.body == JobSubmitted(job, view.groups)
    assert (change.tenant, change.job, change.at) == ("alpha", job.id, job.submitted_at)


def test_an_unknown_tenant_or_chip_is_refused_by_name(world: World) -> None:
    items = [
        submitting(world, tenant="nobody"),
        submitting(world, chips=AnyOf(("h100", "abacus"))),
        submitting(world),
    ]
    unknown_tenant, unknown_chip, fine = world.storage.journal.write(items)
    assert refused(unknown_tenant) is Rejection.UNKNOWN_TENANT
    assert refused(unknown_chip) is Rejection.UNKNOWN_CHIP
    assert "abacus" in repr(unknown_chip)
    assert written(fine).job == items[2].job.id
    assert world.storage.views.job(items[1].job.id, tenant=None) is None


def test_a_tenant_may_have_so_many_live_jobs_and_final_ones_do_not_count(world: World) -> None:
    first = world.submit()
    items = [replace(submitting(world), most_live_jobs=2) for _ in range(2)]
    accepted, too_many = world.storage.journal.write(items)
    assert written(accepted).state is State.QUEUED
    assert refused(too_many) is Rejection.TOO_MANY_JOBS
    world.cancel(first)
    written(world.write(replace(submitting(world), most_live_jobs=2)))


def test_the_limit_of_one_tenant_is_not_anothers(world: World) -> None:
    world.submit()
    written(world.write(replace(submitting(world, tenant="beta"), most_live_jobs=1)))


def test_the_same_key_and_body_is_the_same_job(world: World) -> None:
    key = IdempotencyKey("once", "a" * 64)
    first = world.submit(key=key)
    before = world.storage.views.last_change()
    again = world.write(submitting(world, key))
    assert again == Unchanged(first.id, State.QUEUED)
    assert world.storage.views.last_change() == before


def test_a_known_key_answers_with_the_state_the_job_has_now(world: World) -> None:
    key = IdempotencyKey("once", "a" * 64)
    job = world.submit(key=key)
    world.cancel(job)
    assert world.write(submitting(world, key)) == Unchanged(job.id, State.CANCELLED)


def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    world.submit(key=IdempotencyKey("once", "a" * 64))
    outcome = world.write(submitting(world, IdempotencyKey("once", "b" * 64)))
    assert refused(outcome) is Rejection.KEY_REUSED


def test_a_key_means_something_in_its_tenant_only(world: World) -> None:
    key = IdempotencyKey("once", "a" * 64)
    world.submit(key=key)
    written(world.write(submitting(world, key, tenant="beta")))


def test_a_key_is_known_within_its_own_batch(world: World) -> None:
    key = IdempotencyKey("once", "a" * 64)
    first, second = world.storage.journal.write([submitting(world, key), submitting(world, key)])
    assert second == Unchanged(written(first).job, State.QUEUED)


def test_a_refused_job_does_not_use_up_its_key(world: World) -> None:
    key = IdempotencyKey("once", "a" * 64)
    assert refused(world.write(submitting(world, key, chips="abacus"))) is Rejection.UNKNOWN_CHIP
    written(world.write(submitting(world, key)))
