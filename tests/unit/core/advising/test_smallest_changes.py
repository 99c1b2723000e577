from scheduler.core.advising.smallest_changes import changes_to_fit, changes_to_start
from scheduler.core.model.asking.remedies import AlsoOnChip, FewerDevices, FewerWorkers, Wishful, Without
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.job import AnyOf, ExactMix
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import NODE, Closeness
from tests.builders.core import make_job, make_node, make_shape, make_state


def test_the_most_workers_that_fit_are_offered() -> None:
    state = make_state(make_node("n1"), make_node("n2", {"h100": 3}))
    assert changes_to_start(state, make_job(workers=20)) == (FewerWorkers(11),)


def test_fewer_devices_are_offered_where_not_even_one_worker_fits() -> None:
    state = make_state(make_node("n1", {"h100": 3}))
    assert changes_to_start(state, make_job(workers=2, shape=make_shape(8))) == (FewerDevices(1),)


def test_a_wish_about_where_is_given_up_before_anything_else() -> None:
    state = make_state(make_node("n1"), make_node("n2"))
    picky = make_job(workers=12, closeness=Closeness(NODE))
    assert changes_to_start(state, picky) == (Without(Wishful.CLOSENESS), FewerWorkers(8))


def test_another_chip_type_is_offered_where_it_has_room() -> None:
    state = make_state(make_node("n1", {"h100": 2}), make_node("n2", {"a800": 4}), make_node("n3", {"mlu590": 8}))
    assert changes_to_start(state, make_job(workers=6)) == (AlsoOnChip("mlu590"), FewerWorkers(2))


def test_a_quota_is_kept_by_whatever_is_offered() -> None:
    state = make_state(make_node(), quotas=(QueueQuota("alpha", "h100", limit=5),))
    assert changes_to_start(state, make_job(workers=8)) == (FewerWorkers(5),)


def test_what_is_a_mix_is_not_offered_other_sizes() -> None:
    chips: tuple[tuple[ChipName, int], ...] = (("h100", 4), ("a800", 4))
    assert changes_to_start(make_state(make_node()), make_job(chips=ExactMix(chips))) == ()


def test_a_job_without_devices_is_offered_fewer_workers_only() -> None:
    state = make_state(make_node(pods=3))
    assert changes_to_start(state, make_job(chips=AnyOf(()), workers=5, shape=make_shape(0))) == (FewerWorkers(3),)


def test_who_never_fits_is_offered_what_would_fit_if_nothing_ran() -> None:
    state = make_state(make_node("n1"), make_node("n2", {"a800": 16}))
    never = make_job(workers=9)
    assert changes_to_fit(state, never) == (AlsoOnChip("a800"), FewerWorkers(8))
    assert changes_to_start(make_state(), never) == ()
