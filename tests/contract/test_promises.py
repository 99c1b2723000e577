"""Room that is kept for groups, on both databases."""

from dataclasses import replace

from scheduler.core.model.change import ReservationDropped, ReservationMade
from scheduler.core.model.identifiers import group_id
from scheduler.core.model.job import Job
from scheduler.core.model.waiting.promise import AwaitedEnd, Basis, Dropped, DropReason, NodeRoom, Promise
from scheduler.ports.journal import GiveRoomBack, KeepRoom, Rejection, Unchanged
from tests.builders.database import TENANT, World, after_noon, refused, written


def promise_to(job: Job, *, at_s: float = 600.25) -> Promise:
    room = NodeRoom("mixed/n1", (("h100", 8),), 8_000, 16_000, 8)
    awaited = (AwaitedEnd("a1", after_noon(at_s), Basis.GUESSED, (room,)),)
    return Promise(group_id(job.id, 0), after_noon(at_s), None, (room,), awaited)


def keeping(world: World, promise: Promise, *, epoch: int | None = None) -> KeepRoom:
    return KeepRoom(promise, epoch or world.epoch, after_noon(100))


def giving_back(world: World, job: Job) -> GiveRoomBack:
    return GiveRoomBack(Dropped(group_id(job.id, 0), DropReason.NODES), world.epoch, after_noon(200))


def test_a_promise_is_in_the_feed_of_its_job_and_in_every_later_snapshot(world: World) -> None:
    job = world.submit()
    promise = promise_to(job)
    before = world.storage.views.last_change()
    written(world.write(keeping(world, promise)))
    (change,) = world.storage.views.changes_after(before, limit=9)
    assert (change.body, change.tenant, change.job) == (ReservationMade(promise), TENANT, job.id)
    assert world.storage.views.snapshot().promises == (promise,)


def test_a_later_promise_takes_the_place_of_the_one_before(world: World) -> None:
    first, second = world.submit(), world.submit()
    written(world.write(keeping(world, promise_to(first))))
    written(world.write(keeping(world, promise_to(second, at_s=700))))
    written(world.write(keeping(world, promise_to(first, at_s=800))))
    want = (promise_to(second, at_s=700), promise_to(first, at_s=800))
    assert world.storage.views.snapshot().promises == want


def test_what_is_given_back_is_gone_and_told_once(world: World) -> None:
    job = world.submit()
    written(world.write(keeping(world, promise_to(job))))
    before = world.storage.views.last_change()
    written(world.write(giving_back(world, job)))
    assert isinstance(world.write(giving_back(world, job)), Unchanged)
    (change,) = world.storage.views.changes_after(before, limit=9)
    assert (change.body, change.job) == (ReservationDropped(group_id(job.id, 0), DropReason.NODES), job.id)
    assert world.storage.views.snapshot().promises == ()


def test_nothing_is_promised_to_a_group_that_does_not_wait(world: World) -> None:
    job = world.submit()
    written(world.write(keeping(world, promise_to(job))))
    world.place(job)
    assert refused(world.write(keeping(world, promise_to(job, at_s=1)))) is Rejection.ILLEGAL
    written(world.write(giving_back(world, job)))
    unknown = replace(promise_to(job), group="nobody-g0")
    assert refused(world.write(keeping(world, unknown))) is Rejection.NOT_FOUND


def test_who_leads_no_more_promises_nothing_and_breaks_no_promise(world: World) -> None:
    job = world.submit()
    written(world.write(keeping(world, promise_to(job))))
    world.storage.leadership.take("successor")
    before = world.storage.views.last_change()
    assert refused(world.write(keeping(world, promise_to(job, at_s=9)))) is Rejection.STALE_EPOCH
    assert refused(world.write(giving_back(world, job))) is Rejection.STALE_EPOCH
    assert world.storage.views.last_change() == before
