import pytest

from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.ledger.states.leftover import Left
from scheduler.core.model.attempt import Allocation
from scheduler.core.placement.scoring.facts import HardwareFacts
from scheduler.core.placement.scoring.job_mix import JobMix, WorkerKind
from scheduler.core.placement.scoring.outlook import Outlook
from scheduler.core.placement.scoring.terms import (
    FragmentationGradient,
    Gain,
    Rarity,
    Slant,
    devices_left_milli,
    tightest_fit,
)
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape, make_share

HALF = WorkerKind(1_000, 500, 1, ())
WHOLE = WorkerKind(1_000, 1_000, 1, ())
MIX = JobMix(((HALF, 0.5), (WHOLE, 0.5)))
A_SHARE = demand_of("h100", make_shape(share_milli=500))


def left(*held: Allocation, cpu_milli: int = 64_000, devices: int = 2) -> Left:
    ledger = make_ledger(make_node(devices={"h100": devices}, cpu_milli=cpu_milli))
    if held:
        ledger.apply(make_hold("a1", *held))
    return ledger.inventory.entries["mixed/n1"].leftover.left


BEFORE = left(make_share(0, 500))
ON_THE_SHARED_DEVICE = left(make_share(0, 500), make_share(0, 500))
ON_A_WHOLE_DEVICE = left(make_share(0, 500), make_share(1, 500))


def test_the_gradient_prefers_what_lessens_fragmentation() -> None:
    gradient = FragmentationGradient(Outlook(MIX))
    assert gradient(A_SHARE, BEFORE, ON_THE_SHARED_DEVICE) == 56, "from a quarter to nothing: 100 / (1 + e^-0.25)"
    assert gradient(A_SHARE, BEFORE, ON_A_WHOLE_DEVICE) == 43, "from a quarter to a half: 100 / (1 + e^0.25)"
    assert gradient(A_SHARE, BEFORE, BEFORE) == 50


def test_where_nothing_is_fragmented_before_and_after_the_gradient_is_50_however_parts_add_up() -> None:
    kinds = [WorkerKind(1_000 + number, 1_000, 1, ()) for number in range(7)]
    gradient = FragmentationGradient(Outlook(JobMix(tuple((kind, 1 / 7) for kind in kinds))))
    lefts = [left(make_allocation(tuple(range(held))), devices=8) for held in range(1, 7)]
    assert [gradient(A_SHARE, lefts[0], after) for after in lefts] == [50] * 6


def test_what_typical_workers_lose_of_their_reach_counts_against_a_place() -> None:
    reachable = Gain(Outlook(MIX), reachable=1.0)
    assert reachable(A_SHARE, BEFORE, ON_THE_SHARED_DEVICE) == 1.0 - 1.25
    assert reachable(A_SHARE, BEFORE, ON_A_WHOLE_DEVICE) == 0.5 - 1.25


def test_what_cpu_no_longer_feeds_counts_against_a_place() -> None:
    before, after = left(cpu_milli=2_000), left(make_allocation(chip=None, cpu_milli=1_000), cpu_milli=2_000)
    outlook = Outlook(JobMix(((WHOLE, 1.0),)))
    assert Gain(outlook, usable=1.0)(A_SHARE, before, after) == 1 - 2
    assert Gain(outlook, reachable=1.0)(A_SHARE, before, after) == 0


def test_a_remainder_that_nobody_fills_counts_against_a_place() -> None:
    waste = Gain(Outlook(JobMix(((WHOLE, 1.0),))), waste=1.0)
    assert waste(A_SHARE, left(), left(make_share(0, 500))) == -0.5
    assert waste(A_SHARE, left(make_share(0, 500)), left()) == 0.5
    assert waste(A_SHARE, left(), left(make_allocation((0,)))) == 0


def test_what_is_gained_of_each_figure_counts_by_its_own_weight() -> None:
    outlook = Outlook(MIX)
    before, after = left(cpu_milli=2_500), left(make_share(0, 700), cpu_milli=2_500)
    gains = [Gain(outlook, *weights)(A_SHARE, before, after) for weights in ((1,), (0, 1), (0, 0, 1))]
    assert len({0, *gains}) == 1 + len(gains)
    all_of_them = Gain(outlook, 2.0, 3.0, 5.0)(A_SHARE, before, after)
    assert all_of_them == pytest.approx(sum(weight * gain for weight, gain in zip((2, 3, 5), gains, strict=True)))


@pytest.mark.parametrize(
    ("cpu_milli", "devices", "slant"), [(16_000, 2, 0.0), (0, 2, 0.25), (16_000, 0, 0.25), (80_000, 2, 1.0)]
)
def test_a_node_is_uneven_as_far_as_cpu_and_devices_left_are_from_their_usual_proportion(
    cpu_milli: int, devices: int, slant: float
) -> None:
    facts = HardwareFacts(cpu_milli_per_device=8_000, devices_per_node=8)
    after = left(cpu_milli=cpu_milli, devices=devices)
    assert Slant(facts)(A_SHARE, BEFORE, after) == pytest.approx(slant)


def test_without_facts_no_node_is_uneven() -> None:
    assert Slant(HardwareFacts())(A_SHARE, BEFORE, left()) == 0


def test_a_rare_chip_type_is_kept_and_who_takes_none_takes_nothing_rare() -> None:
    rarity = Rarity(HardwareFacts(shares={"h100": 0.9, "mlu": 0.1}))
    rare, usual, none = (demand_of(chip, make_shape(1)) for chip in ("mlu", "h100", None))
    assert [rarity(demand, BEFORE, BEFORE) for demand in (rare, usual, none)] == [
        pytest.approx(-0.9),
        pytest.approx(-0.1),
        0,
    ]
    assert rarity(demand_of("moon", make_shape(1)), BEFORE, BEFORE) == -1


def test_the_tightest_fit_leaves_the_least_cpu_and_devices_together() -> None:
    assert tightest_fit(A_SHARE, BEFORE, left(cpu_milli=64_000, devices=4)) == -(0.5 + 0.5) / 2
    assert tightest_fit(A_SHARE, BEFORE, left(cpu_milli=128_000, devices=0)) == -0.5
    assert tightest_fit(A_SHARE, BEFORE, left(make_share(0, 500), cpu_milli=1_000, devices=1)) == -(0.5 / 8) / 2


def test_whole_and_shared_devices_are_left() -> None:
    assert devices_left_milli(left(devices=8)) == 8_000
    assert devices_left_milli(BEFORE) == 1_500
    assert devices_left_milli(left(make_allocation((0, 1)))) == 0
