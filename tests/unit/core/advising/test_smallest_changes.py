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
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.job import AnyOf, ExactMix
from scheduler.core.model.node import NodeState
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import NODE, Closeness
from tests.builders.core import NOON, make_job, make_node, make_shape, make_state, seconds_after_noon
from tests.unit.core.deciding.backfilling.test_beside import kept
from tests.unit.core.deciding.backfilling.test_promises import GANG, busy, limited


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
