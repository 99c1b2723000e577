import pytest

from scheduler.core.ledger.states.demand import Demand, demand_of
from scheduler.core.ledger.states.leftover import Left, Leftover
from scheduler.core.model.attempt import Allocation
from scheduler.core.placement.scoring.scorer import Scorer, devices_with_room
from scheduler.core.placement.scoring.terms import NodeTerm, Weighted
from tests.builders.core import make_hold, make_ledger, make_node, make_shape, make_share

HALF = demand_of("h100", make_shape(cpu_milli=0, memory_mib=0, share_milli=500))


def leftover(*held: Allocation, devices: int = 2) -> Leftover:
    ledger = make_ledger(make_node(devices={"h100": devices}))
    if held:
        ledger.apply(make_hold("a1", *held))
    return ledger.inventory.entries["mixed/n1"].leftover


def always(value: float) -> NodeTerm:
    def term(demand: Demand, before: Left, after: Left) -> float:
        return value

    return term


def whole_left(demand: Demand, before: Left, after: Left) -> float:
    return float(after.free[0])


def never_asked(demand: Demand, before: Left, after: Left) -> float:
    raise AssertionError("a term without weight is not asked")


def test_a_score_is_the_sum_of_its_terms_by_their_weights() -> None:
    scorer = Scorer([Weighted(always(1.0), 2.0), Weighted(always(-3.0), 0.5)])
    left = leftover().left
    assert scorer.score(HALF, left, left) == 2.0 - 1.5


def test_a_term_without_weight_is_not_even_asked() -> None:
    scorer = Scorer([Weighted(never_asked, 0.0), Weighted(always(1.0), 1.0)])
    left = leftover().left
    assert scorer.score(HALF, left, left) == 1.0


def test_whole_devices_are_judged_by_what_is_left_after_all_workers_that_come_together() -> None:
    scorer = Scorer([Weighted(whole_left, 1.0)])
    one, three = (demand_of("h100", make_shape(2), together=workers) for workers in (1, 3))
    assert scorer.best(one, leftover(devices=8)) == (6.0, None)
    assert scorer.best(three, leftover(devices=8)) == (2.0, None)


@pytest.mark.parametrize(("weight", "device"), [(1.0, (0, 700, 81_920)), (-1.0, None)])
def test_a_share_goes_to_the_device_that_scores_best(weight: float, device: tuple[int, int, int] | None) -> None:
    scorer = Scorer([Weighted(whole_left, weight)])
    assert scorer.best(HALF, leftover(make_share(0, 300)))[1] == device


def test_among_equals_the_tightest_shared_device_is_taken_and_a_whole_one_last() -> None:
    scorer = Scorer([Weighted(always(1.0), 1.0)])
    state = leftover(make_share(0, 100), make_share(1, 400), make_share(2, 501), devices=4)
    assert scorer.best(HALF, state)[1] == (0, 600, 81_920)
    assert scorer.best(HALF, leftover(make_share(0, 501)))[1] is None


def test_a_device_with_too_little_memory_left_is_no_choice() -> None:
    scorer = Scorer([Weighted(always(1.0), 1.0)])
    demand = demand_of("h100", make_shape(share_milli=100, share_memory_mib=2_000))
    state = leftover(make_share(0, 500, 80_000), make_share(1, 400, 1_000), devices=3)
    assert scorer.best(demand, state)[1] == (0, 600, 80_920)


def test_what_is_equal_is_equal_however_it_was_added_up() -> None:
    tenth, fifth, more = (Weighted(always(value), 1.0) for value in (0.1, 0.2, 0.300001))
    left = leftover().left
    assert Scorer([tenth, fifth]).score(HALF, left, left) == 0.3
    assert Scorer([more]).score(HALF, left, left) > 0.3


def test_a_share_fits_on_each_device_with_room_for_its_compute_and_its_memory() -> None:
    shares = (make_share(0, 600), make_share(1, 400), make_share(2, 400, 81_000))
    node = leftover(*shares, devices=5)
    demand = demand_of("h100", make_shape(cpu_milli=0, memory_mib=0, share_milli=500, share_memory_mib=2_000))
    assert devices_with_room(demand, node) == [(0, 600, 81_920), None, None]
