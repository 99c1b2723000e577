from dataclasses import replace

from scheduler.core.advising.smallest_changes import changes_to_fit, changes_to_start
from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.model.asking.remedies import (
    AlsoOnChip,
    FewerDevices,
    FewerWorkers,
    ShorterLimit,
    Wishful,
    Without,
    with_remedy,
)
from scheduler.core.model.change import ReservationMade
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.job import AnyOf, ExactMix, Job
from scheduler.core.model.node import NodeState
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import NODE, Closeness
from scheduler.core.model.waiting.promise import Promise
from tests.builders.core import NOON, make_group, make_job, make_node, make_shape, make_state, seconds_after_noon
from tests.builders.preempting import Contended
from tests.unit.core.deciding.backfilling.test_beside import kept
from tests.unit.core.deciding.backfilling.test_promises import GANG, busy, limited

LATE = 400
"""Seconds after which room is kept for who waits."""


def kept_for(*jobs: Job, limit_s: int | None = 3_600) -> Contended:
    """Return a cluster of which half is free, and kept for the first of the jobs that wait where it needs all."""
    cluster = Contended(make_node())
    running = make_job(90, workers=4)
    cluster.run(replace(running, spec=replace(running.spec, time_limit_s=limit_s)))
    cluster.submit(*jobs)
    cluster.decide()
    cluster.wait(LATE)
    cluster.decide()
    for promise in cluster.passes.promises.unwritten(cluster.state.promised):
        assert isinstance(promise, Promise)
        cluster.tell(ReservationMade(promise))
    return cluster


def test_the_most_workers_that_fit_are_offered() -> None:
    state = make_state(make_node("n1"), make_node("n2", {"h100": 3}))
    assert changes_to_start(state, make_job(workers=20), NOON) == (FewerWorkers(11),)


def test_fewer_devices_are_offered_where_not_even_one_worker_fits() -> None:
    state = make_state(make_node("n1", {"h100": 3}))
    assert changes_to_start(state, make_job(workers=2, shape=make_shape(8)), NOON) == (FewerDevices(1),)


def test_a_wish_about_where_is_given_up_before_anything_else() -> None:
    state = make_state(make_node("n1"), make_node("n2"))
    picky = make_job(workers=12, closeness=Closeness(NODE))
    assert changes_to_start(state, picky, NOON) == (Without(Wishful.CLOSENESS), FewerWorkers(8))


def test_another_chip_type_is_offered_where_it_has_room() -> None:
    state = make_state(make_node("n1", {"h100": 2}), make_node("n2", {"a800": 4}), make_node("n3", {"mlu590": 8}))
    assert changes_to_start(state, make_job(workers=6), NOON) == (AlsoOnChip("mlu590"), FewerWorkers(2))


def test_a_quota_is_kept_by_whatever_is_offered() -> None:
    state = make_state(make_node(), quotas=(QueueQuota("alpha", "h100", limit=5),))
    assert changes_to_start(state, make_job(workers=8), NOON) == (FewerWorkers(5),)


def test_what_is_a_mix_is_not_offered_other_sizes() -> None:
    chips: tuple[tuple[ChipName, int], ...] = (("h100", 4), ("a800", 4))
    assert changes_to_start(make_state(make_node()), make_job(chips=ExactMix(chips)), NOON) == ()


def test_a_job_without_devices_is_offered_fewer_workers_only() -> None:
    state = make_state(make_node(pods=3))
    assert changes_to_start(state, make_job(chips=AnyOf(()), workers=5, shape=make_shape(0)), NOON) == (
        FewerWorkers(3),
    )


def test_who_never_fits_is_offered_what_would_fit_if_nothing_ran() -> None:
    state = make_state(make_node("n1"), make_node("n2", {"a800": 16}))
    never = make_job(workers=9)
    assert changes_to_fit(state, never) == (AlsoOnChip("a800"), FewerWorkers(8))
    assert changes_to_start(make_state(), never, NOON) == ()


def test_what_is_kept_for_others_is_no_room_for_anything_that_is_offered() -> None:
    cluster = kept_for(make_job(1, workers=8), later := make_job(2, workers=6, submitted_at=seconds_after_noon(LATE)))
    assert list(cluster.state.promised) == [make_group(make_job(1)).id]
    assert changes_to_start(cluster.state, later, cluster.now) == ()


def test_what_is_kept_for_a_job_is_room_for_what_it_is_offered() -> None:
    first = make_job(1, workers=8)
    cluster = kept_for(first, make_job(2, workers=8, submitted_at=seconds_after_noon(LATE)))
    assert changes_to_start(cluster.state, first, cluster.now) == (FewerWorkers(4),)


def test_nothing_is_offered_where_others_would_have_first_what_is_kept_for_a_job() -> None:
    first = make_job(1, workers=8)
    small = kept_for(first, make_job(2, workers=4, submitted_at=seconds_after_noon(LATE)))
    assert changes_to_start(small.state, first, small.now) == ()
    old = kept_for(first, make_job(2, workers=8))
    assert changes_to_start(old.state, first, old.now) == ()


def test_room_that_is_kept_for_others_is_not_offered_but_to_who_is_gone_by_then() -> None:
    big = make_job(2, AnyOf(("a800",)), workers=4)
    shut = make_node("n3", {"a800": 4}, state=NodeState.DRAINED)
    nodes = (make_node("n1"), make_node("n2", {"a800": 2}), shut)
    state = kept(state=busy(*nodes, running={"n1": (4, 600)}, jobs=(GANG, big)))
    assert changes_to_start(state, big, NOON) == (FewerWorkers(2),)
    assert changes_to_start(state, limited(big, 60), NOON) == (AlsoOnChip("h100"), FewerWorkers(2))


def test_a_time_limit_is_offered_that_is_still_short_enough_a_minute_later() -> None:
    small = make_job(2, workers=4)
    (shorter,) = changes_to_start(kept(small), small, NOON)
    assert shorter == ShorterLimit(540)
    assert not changes_to_start(kept(small), small, seconds_after_noon(500))
    later = prospect_of(kept(), replace(small, spec=with_remedy(small.spec, shorter)), seconds_after_noon(60))
    assert later.places
