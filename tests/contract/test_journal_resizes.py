"""Another size of a gang that runs: what comes is held first, and what goes is held until it is proven gone."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from scheduler.adapters.memory.clock import ManualClock
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import Allocation, Attempt, ResizeStep, Resizing
from scheduler.core.model.change import GroupResized, ResizeAdvanced, WorkersWished
from scheduler.core.model.decision import ResizeCause, Resized
from scheduler.core.model.group import State
from scheduler.core.model.job import Job
from scheduler.core.model.resources import Elastic
from scheduler.core.model.sharing.eviction import EvictionCause, GivenTo
from scheduler.ports.journal import AdvanceResize, Outcome, Rejection, Resize, Unchanged, WishWorkers
from scheduler.ports.views import TenantUse
from scheduler.ports.workers.reports import Beat, RegisterRendezvous
from scheduler.services.follow_changes import FollowedState, state_of
from tests.builders.database import World, after_noon, make_note, refused, take, written

FOUR = tuple(take("n1", slot, rank=slot) for slot in range(4))


def running(world: World, ranks: Sequence[Allocation] = FOUR, *, workers: int = 4, least: int = 2) -> tuple[Job, str]:
    """Return an elastic job whose gang runs, and its attempt."""
    job = world.submit(world.make_job(workers=workers, elastic=Elastic(least)))
    attempt = world.place(job, *ranks)
    world.see(attempt, Event.ALL_READY)
    return job, attempt


def resizing(world: World, job: Job, ranks: Sequence[Allocation], generation: int = 2) -> Resize:
    group = world.group(job)
    notes = tuple(make_note(one) for one in ranks if one.since == generation)
    decision = Resized(
        group.id, group.version, group.latest_attempt, generation, tuple(ranks), ResizeCause.WISHED, notes
    )
    return Resize(decision, world.epoch, after_noon(300))


def latest(world: World, job: Job) -> Attempt:
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    return view.attempts[-1]


def devices_held(world: World) -> list[TenantUse]:
    return world.storage.views.tenant_use(None)


def beat(world: World, attempt: str, generation: int) -> Outcome:
    return world.write(Beat(attempt, generation, after_noon(400 + generation)))


def in_memory(followed: FollowedState) -> str:
    """Return the digest of a state that follows the feed."""
    followed.follow()
    with followed.hold() as state:
        return state.digest()


def read_anew(world: World) -> str:
    """Return the digest of a state that was read just now."""
    return state_of(world.storage.views.snapshot()).digest()


def comes(node: str, slot: int, *, rank: int, number: int, since: int = 2) -> Allocation:
    return replace(take(node, slot, rank=rank), since=since, number=number)


def test_a_smaller_gang_holds_all_until_the_surplus_is_proven_gone(world: World) -> None:
    job, attempt = running(world)
    outcome = written(world.write(resizing(world, job, FOUR[:2])))
    assert (outcome.state, latest(world, job).generation) == (State.RUNNING, 2)
    assert latest(world, job).allocations == FOUR[:2]
    assert latest(world, job).resizing == Resizing(
        called=2, met=1, surplus=FOUR[2:], began_at=after_noon(300), numbers=4
    )
    assert devices_held(world) == [TenantUse("alpha", "h100", 4_000)]
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == GroupResized(world.group(job), attempt, 2, FOUR[:2], ResizeCause.WISHED)
    freed = AdvanceResize(attempt, 2, ResizeStep.FREED, world.epoch, after_noon(310))
    outcome = written(world.write(freed))
    assert devices_held(world) == [TenantUse("alpha", "h100", 2_000)]
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == ResizeAdvanced(attempt, 2, ResizeStep.FREED)
    assert isinstance(world.write(freed), Unchanged)
    assert world.storage.views.capacity_errors() == []


def test_for_whom_it_is_smaller_is_kept_until_it_has_another_size(world: World) -> None:
    job, attempt = running(world)
    given_to = GivenTo("other-g0", "beta", EvictionCause.LOAN, 0, 0, 2_000)
    asked = resizing(world, job, FOUR[:2])
    outcome = written(world.write(replace(asked, decision=replace(asked.decision, given_to=given_to))))
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == GroupResized(world.group(job), attempt, 2, FOUR[:2], ResizeCause.WISHED, given_to=given_to)
    assert latest(world, job).resizing.given_to == given_to
    followed = FollowedState(world.storage.views, ManualClock(after_noon(320)))
    assert in_memory(followed) == read_anew(world)
    written(world.write(AdvanceResize(attempt, 2, ResizeStep.FREED, world.epoch, after_noon(310))))
    written(world.write(Beat(attempt, 2, after_noon(311))))
    written(world.write(resizing(world, job, (*FOUR[:2], comes("n1", 2, rank=2, number=4, since=3)), generation=3)))
    assert latest(world, job).resizing.given_to is None
    assert in_memory(followed) == read_anew(world)


def test_a_larger_gang_holds_what_comes_before_anybody_is_called(world: World) -> None:
    two = FOUR[:2]
    job, attempt = running(world, two)
    grown = (*two, comes("n2", 0, rank=2, number=2), comes("n2", 1, rank=3, number=3))
    written(world.write(resizing(world, job, grown)))
    assert latest(world, job).allocations == grown
    assert latest(world, job).resizing == Resizing(called=1, met=1, began_at=after_noon(300), numbers=4)
    assert [note.rank for note in latest(world, job).notes] == [0, 1, 2, 3]
    assert devices_held(world) == [TenantUse("alpha", "h100", 4_000)]
    assert refused(beat(world, attempt, 2)) is Rejection.STALE_ATTEMPT
    written(world.write(AdvanceResize(attempt, 2, ResizeStep.CALLED, world.epoch, after_noon(310))))
    assert latest(world, job).resizing.called == 2
    assert world.storage.views.capacity_errors() == []


def test_both_generations_are_heard_until_the_gang_has_met_and_then_the_new_one_alone(world: World) -> None:
    job, attempt = running(world)
    written(world.write(resizing(world, job, FOUR[:2])))
    assert isinstance(beat(world, attempt, 1), Unchanged)
    written(world.write(RegisterRendezvous(attempt, 2, "127.0.0.1:1", after_noon(390))))
    assert world.storage.views.attempt_is_open(attempt, 1)
    met = written(beat(world, attempt, 2))
    (change,) = world.storage.views.changes_after(met.change - 1, limit=9)
    assert change.body == ResizeAdvanced(attempt, 2, ResizeStep.MET)
    assert latest(world, job).resizing.met == 2
    assert refused(beat(world, attempt, 1)) is Rejection.STALE_ATTEMPT
    assert isinstance(beat(world, attempt, 2), Unchanged)
    assert not world.storage.views.attempt_is_open(attempt, 1)


def test_a_gang_shrinks_and_grows_again_and_ends_with_nothing_held(world: World) -> None:
    job, attempt = running(world)
    followed = FollowedState(world.storage.views, ManualClock(after_noon(0)))
    written(world.write(resizing(world, job, FOUR[:2])))
    assert in_memory(followed) == read_anew(world)
    written(world.write(AdvanceResize(attempt, 2, ResizeStep.FREED, world.epoch, after_noon(310))))
    assert in_memory(followed) == read_anew(world)
    written(beat(world, attempt, 2))
    grown = (*FOUR[:2], *(comes("n1", slot, rank=slot, number=slot + 2, since=3) for slot in (2, 3)))
    written(world.write(resizing(world, job, grown, generation=3)))
    assert latest(world, job).allocations == grown
    written(world.write(AdvanceResize(attempt, 3, ResizeStep.CALLED, world.epoch, after_noon(410))))
    assert in_memory(followed) == read_anew(world)
    written(beat(world, attempt, 3))
    assert in_memory(followed) == read_anew(world)
    assert not latest(world, job).resizing.is_under_way(3)
    world.see(attempt, Event.ALL_SUCCEEDED, generation=3)
    assert devices_held(world) == []
    assert world.storage.views.capacity_errors() == []


def test_device_hours_follow_the_size(world: World) -> None:
    job, attempt = running(world)
    written(world.write(resizing(world, job, FOUR[:2])))
    written(world.write(AdvanceResize(attempt, 2, ResizeStep.FREED, world.epoch, after_noon(310))))
    spans = list(world.storage.usage.held_spans(after_noon(0), after_noon(1_000), tenant=None))
    assert sorted((span.devices_milli, span.began, span.ended) for span in spans if span.ended is not None) == [
        (2_000, after_noon(100), after_noon(300)),
        (2_000, after_noon(100), after_noon(310)),
    ]
    assert [(span.devices_milli, span.began) for span in spans if span.ended is None] == [(2_000, after_noon(300))]


def test_an_attempt_that_ends_in_the_middle_gives_back_what_both_generations_held(world: World) -> None:
    job, attempt = running(world)
    written(world.write(resizing(world, job, FOUR[:2])))
    world.end(attempt, generation=2)
    assert world.group(job).state is State.FAILED
    assert devices_held(world) == []
    assert world.storage.views.capacity_errors() == []


@pytest.mark.parametrize(
    ("ranks", "why"),
    [
        pytest.param(FOUR[:1], Rejection.ILLEGAL, id="fewer than will do"),
        pytest.param((FOUR[1], FOUR[0]), Rejection.ILLEGAL, id="other ranks"),
        pytest.param((FOUR[0], take("n2", 0, rank=1)), Rejection.ILLEGAL, id="another place"),
        pytest.param(
            (*FOUR[:3], comes("n1", 5, rank=3, number=2)), Rejection.ILLEGAL, id="the number of a worker that was"
        ),
        pytest.param((*FOUR[:3], comes("n1", 0, rank=3, number=4)), Rejection.NO_CAPACITY, id="what somebody holds"),
    ],
)
def test_who_stays_stays_as_it_is_and_who_comes_is_new(
    world: World, ranks: tuple[Allocation, ...], why: Rejection
) -> None:
    job, _ = running(world)
    assert refused(world.write(resizing(world, job, ranks))) is why
    assert latest(world, job).generation == 1
    assert world.storage.views.capacity_errors() == []


def test_a_gang_on_its_way_is_not_sent_another_way(world: World) -> None:
    job, _ = running(world)
    written(world.write(resizing(world, job, FOUR[:3])))
    assert refused(world.write(resizing(world, job, FOUR[:2], generation=3))) is Rejection.STALE_VERSION


def test_a_gang_of_a_fixed_size_is_not_resized(world: World) -> None:
    job = world.submit(world.make_job(workers=2))
    attempt = world.place(job, *FOUR[:2])
    world.see(attempt, Event.ALL_READY)
    assert refused(world.write(resizing(world, job, FOUR[:1]))) is Rejection.ILLEGAL


def test_fewer_workers_are_wished_for_and_refused_where_they_would_not_do(world: World) -> None:
    job, _ = running(world)
    wish = WishWorkers(job.id, job.tenant, 2, "ann", after_noon(300))
    outcome = written(world.storage.journal.change(wish))
    (change,) = world.storage.views.changes_after(outcome.change - 1, limit=9)
    assert change.body == WorkersWished(job.id, 2, "ann")
    view = world.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert (view.job.spec.workers, view.job.edited[-1]) == (2, 2)
    assert isinstance(world.storage.journal.change(wish), Unchanged)
    assert refused(world.storage.journal.change(replace(wish, workers=1))) is Rejection.ILLEGAL
    assert refused(world.storage.journal.change(replace(wish, tenant="beta"))) is Rejection.NOT_FOUND
