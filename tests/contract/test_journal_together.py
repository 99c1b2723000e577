"""Many callers at once: what they share, and what none may do to another."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from scheduler.adapters.database.storage import Storage
from scheduler.core.model.group import State
from scheduler.core.model.job import Job
from scheduler.ports.journal import (
    IdempotencyKey,
    Outcome,
    Rejection,
    StorageUnavailable,
    SubmitJob,
    Unchanged,
    Written,
)
from scheduler.ports.views import JobFilter
from tests.builders.database import (
    MANY_JOBS,
    NOON,
    CountingWakeUp,
    Database,
    World,
    make_world,
    refused,
    take,
    take_share,
    written,
)


def submit_with_key(storage: Storage, job: Job) -> Outcome:
    (outcome,) = storage.journal.write([SubmitJob(job, IdempotencyKey("once", "a" * 64), MANY_JOBS)])
    return outcome


def test_one_key_raced_by_twenty_threads_of_two_processes_worth_is_one_job(database: Database) -> None:
    with database.opened() as one, database.opened() as two, ThreadPoolExecutor(20) as threads:
        world = make_world(one)
        jobs = [world.make_job() for _ in range(20)]
        outcomes = list(threads.map(submit_with_key, [one, two] * 10, jobs))
        (winner,) = (outcome for outcome in outcomes if isinstance(outcome, Written))
        others = [outcome for outcome in outcomes if not isinstance(outcome, Written)]
        assert others == [Unchanged(winner.job, State.QUEUED)] * 19
        assert [view.job.id for view in one.views.jobs(JobFilter(), before=None, limit=99)] == [winner.job]


def test_one_slot_raced_by_two_storages_is_given_once(database: Database) -> None:
    with database.opened() as one, database.opened() as two, ThreadPoolExecutor(8) as threads:
        world = make_world(one)
        items = [world.placing(world.submit(), take("n1", 0)) for _ in range(8)]
        outcomes = list(
            threads.map(lambda pair: pair[0].journal.write([pair[1]])[0], zip([one, two] * 4, items, strict=True))
        )
        assert [isinstance(outcome, Written) for outcome in outcomes].count(True) == 1
        assert {refused(outcome) for outcome in outcomes if not isinstance(outcome, Written)} == {Rejection.NO_CAPACITY}


def test_one_device_raced_by_two_storages_is_shared_out_and_given_back_whole(database: Database) -> None:
    with database.opened() as one, database.opened() as two, ThreadPoolExecutor(8) as threads:
        world = make_world(one)
        items = [world.placing(world.submit(), take_share("n1", 0, 300, 100)) for _ in range(8)]
        outcomes = list(
            threads.map(lambda pair: pair[0].journal.write([pair[1]])[0], zip([one, two] * 4, items, strict=True))
        )
        placed = [f"{outcome.job}-g0-a1" for outcome in outcomes if isinstance(outcome, Written)]
        assert len(placed) == 3
        assert {refused(outcome) for outcome in outcomes if not isinstance(outcome, Written)} == {Rejection.NO_CAPACITY}
        assert one.views.capacity_errors() == []
        list(threads.map(world.end, placed))
        assert one.views.capacity_errors() == []
        assert one.views.tenant_use(None) == []


def test_the_limit_of_live_jobs_holds_against_two_storages_at_once(database: Database) -> None:
    with database.opened() as one, database.opened() as two, ThreadPoolExecutor(8) as threads:
        world = make_world(one)
        items = [SubmitJob(world.make_job(), None, 5) for _ in range(16)]
        outcomes = list(
            threads.map(lambda pair: pair[0].journal.write([pair[1]])[0], zip([one, two] * 8, items, strict=True))
        )
        assert [isinstance(outcome, Written) for outcome in outcomes].count(True) == 5


def test_an_item_that_the_schema_forbids_does_not_hurt_its_batch(world: World) -> None:
    first = world.submit()
    items = [SubmitJob(job, None, MANY_JOBS) for job in (world.make_job(), first, world.make_job())]
    before = world.storage.views.last_change()
    fine, twice, fine_too = world.storage.journal.write(items)
    assert refused(twice) is Rejection.ILLEGAL
    assert [written(fine).change, written(fine_too).change] == [before + 1, before + 2]
    assert len(world.storage.views.jobs(JobFilter(), before=None, limit=9)) == 3


def test_an_item_that_the_schema_forbids_does_not_hurt_other_callers(world: World) -> None:
    poison = SubmitJob(world.submit(), None, MANY_JOBS)
    with ThreadPoolExecutor(16) as threads:
        items = [poison if number % 4 == 0 else SubmitJob(world.make_job(), None, MANY_JOBS) for number in range(64)]
        outcomes = list(threads.map(world.write, items))
    for item, outcome in zip(items, outcomes, strict=True):
        assert isinstance(outcome, Written) is (item is not poison)


def test_what_a_caller_did_wrong_is_told_to_that_caller_alone(world: World) -> None:
    broken = SubmitJob(replace(world.make_job(), submitted_at=NOON.replace(tzinfo=None)), None, MANY_JOBS)
    with ThreadPoolExecutor(8) as threads:
        wrong = [threads.submit(world.write, broken) for _ in range(2)]
        fine = [threads.submit(world.submit) for _ in range(12)]
        assert len({future.result().id for future in fine}) == 12
        for future in wrong:
            with pytest.raises(Exception, match="time zone"):
                future.result()


def test_hints_come_after_the_commit_and_only_where_the_feed_grew(world: World, database: Database) -> None:
    hints = database.wake_up.hints
    job = world.submit()
    assert database.wake_up.hints == hints + 1
    world.cancel(job)
    world.cancel(job)
    world.write(SubmitJob(world.make_job(tenant="nobody"), None, MANY_JOBS))
    assert database.wake_up.hints == hints + 2


def test_a_hint_that_fails_is_lost_without_harm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_wake_up: CountingWakeUp) -> None:
        raise ConnectionError

    monkeypatch.setattr(CountingWakeUp, "notify", fail)
    for _ in range(2):
        world.submit()


def test_a_batch_is_bounded_and_an_empty_one_is_nothing(world: World) -> None:
    assert world.storage.journal.write([]) == []
    item = SubmitJob(world.make_job(), None, MANY_JOBS)
    with pytest.raises(ValueError, match="1000"):
        world.storage.journal.write([item] * 1_001)


def test_closing_writes_what_was_handed_over_and_takes_no_more(database: Database) -> None:
    with database.opened() as storage, ThreadPoolExecutor(8) as threads:
        world = make_world(storage)
        submitting = [threads.submit(world.submit) for _ in range(40)]
        submitting[0].result()
        storage.close()
        results = [future.exception() or future.result() for future in submitting]
        assert storage.ping() is False
        with pytest.raises(StorageUnavailable, match="closed"):
            world.submit()
    acknowledged = {job.id for job in results if isinstance(job, Job)}
    assert all(isinstance(result, Job | StorageUnavailable) for result in results)
    with database.opened() as storage:
        kept = {view.job.id for view in storage.views.jobs(JobFilter(), before=None, limit=99)}
    assert acknowledged
    assert kept == acknowledged


def test_an_open_storage_answers(storage: Storage) -> None:
    assert storage.ping() is True
