"""What a node is worth to typical workers; the examples are worked out by hand.

What is left of a node's devices and cannot be reached is fragmented as in Weng et al., "Beware of Fragmentation",
USENIX ATC 2023, section 4: for each typical worker all that is left where it does not fit, else what is left of
devices with too little for it, weighted by how frequent such workers are.
"""

import pytest

from scheduler.core.ledger.states.leftover import Left
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import Node
from scheduler.core.placement.scoring.job_mix import JobMix, WorkerKind
from scheduler.core.placement.scoring.outlook import Outlook, Worth
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_share

WHOLE = WorkerKind(1_000, 1_000, 1, ())
HALF = WorkerKind(1_000, 500, 1, ())
PAIR = WorkerKind(1_000, 1_000, 2, ())
NO_DEVICE = WorkerKind(1_000, 0, 0, ())


def left_of(node: Node, *held: Allocation) -> Left:
    ledger = make_ledger(node)
    if held:
        ledger.apply(make_hold("a1", *held))
    return ledger.inventory.entries[node.id].leftover.left


def two_devices(*held: Allocation, cpu_milli: int = 64_000) -> Left:
    return left_of(make_node(devices={"h100": 2}, cpu_milli=cpu_milli), *held)


def worth(left: Left, *kinds: WorkerKind) -> Worth:
    """Return the worth to such workers, each as frequent as the others."""
    return Outlook(JobMix(tuple((kind, 1 / len(kinds)) for kind in kinds))).worth(left)


def fragmented(left: Left, *kinds: WorkerKind) -> float:
    found = worth(left, *kinds)
    return found.free - found.reachable


HALF_TAKEN = make_share(0, 500)


def test_devices_are_fragmented_for_workers_that_need_more_of_each() -> None:
    left = two_devices(HALF_TAKEN)
    assert worth(left, WHOLE).free == 1.5
    assert fragmented(left, WHOLE) == 0.5
    assert fragmented(left, HALF) == 0
    assert fragmented(left, WHOLE, HALF) == 0.25


def test_all_is_fragmented_for_workers_that_do_not_fit() -> None:
    assert fragmented(two_devices(HALF_TAKEN), PAIR) == 1.5
    assert fragmented(two_devices(), PAIR) == 0
    assert fragmented(two_devices(HALF_TAKEN), NO_DEVICE) == 1.5


def test_all_is_fragmented_where_the_cpu_left_is_too_little_for_a_worker() -> None:
    left = two_devices(make_allocation(chip=None, cpu_milli=3_500), cpu_milli=4_000)
    assert fragmented(left, WHOLE) == 2
    assert fragmented(left, WorkerKind(500, 1_000, 1, ())) == 0


def test_all_is_fragmented_for_workers_that_want_another_chip_type() -> None:
    other, either = WorkerKind(1_000, 1_000, 1, ("mlu",)), WorkerKind(1_000, 1_000, 1, ("h100", "mlu"))
    assert fragmented(two_devices(), other) == 2
    assert fragmented(two_devices(), either) == 0
    both = left_of(make_node(devices={"h100": 2, "mlu": 1}))
    assert (fragmented(both, other), fragmented(both, either)) == (2, 0)


def test_several_shared_devices_serve_a_worker_that_takes_a_part_of_each() -> None:
    part_of_two = WorkerKind(1_000, 400, 2, ())
    assert fragmented(two_devices(HALF_TAKEN), part_of_two) == 0
    assert fragmented(two_devices(make_share(0, 700)), part_of_two) == pytest.approx(1.3)


def test_no_more_is_usable_than_the_cpu_left_feeds() -> None:
    left = two_devices(cpu_milli=2_000)
    hungry = WorkerKind(2_000, 1_000, 1, ())
    assert (worth(left, WHOLE).usable, worth(left, WHOLE).reachable) == (2, 2)
    assert (worth(left, hungry).usable, worth(left, hungry).reachable) == (1, 2)
    assert worth(left, WHOLE, hungry).usable == 1.5
    assert worth(left, WorkerKind(0, 1_000, 1, ())).usable == 2


def test_remainders_are_what_stays_of_a_device_once_no_typical_worker_fits_any_more() -> None:
    thirds = WorkerKind(0, 300, 1, ())
    assert worth(two_devices(), WHOLE).wasted == 0
    assert worth(two_devices(), thirds).wasted == pytest.approx(2 * 0.1)
    assert worth(two_devices(make_share(0, 200)), thirds).wasted == pytest.approx(0.2 + 0.1)
    assert worth(two_devices(), thirds, WHOLE).wasted == pytest.approx(2 * (0.1 / 2 + 0.0 / 2))
    assert worth(two_devices(HALF_TAKEN), WHOLE).wasted == 0.5


def test_devices_that_somebody_holds_are_worth_nothing() -> None:
    assert worth(two_devices(make_allocation((0, 1))), WHOLE, HALF) == Worth(0, 0, 0, 0)


def test_a_node_without_devices_is_worth_nothing() -> None:
    assert worth(left_of(make_node(devices={})), WHOLE) == Worth(0, 0, 0, 0)


def test_the_same_state_is_worth_the_same_each_time_and_is_worked_out_once() -> None:
    outlook = Outlook(JobMix(((WHOLE, 1.0),)))
    assert outlook.worth(two_devices()) == outlook.worth(two_devices())
    left = two_devices()
    assert outlook.worth(left) is outlook.worth(left)


@pytest.mark.parametrize("cpu_milli", [0, 999, 1_000, 1_500, 2_000, 3_000, 4_250, 6_000, 9_000, 64_000])
def test_worth_is_the_mean_over_typical_workers_of_what_they_reach_and_of_what_cpu_lets_them_use(
    cpu_milli: int,
) -> None:
    mix = ((WHOLE, 0.4), (WorkerKind(3_000, 500, 1, ()), 0.3), (PAIR, 0.2), (WorkerKind(0, 700, 1, ()), 0.1))
    free, shared = 1_000, 500
    reach = {1_000: free, 500: free + shared, 700: free}
    reachable = usable = 0.0
    for kind, share in mix:
        if kind.devices == 1 and cpu_milli >= kind.cpu_milli:
            reached = reach[kind.milli_per_device] / 1_000
            fed = cpu_milli / kind.cpu_milli * kind.devices_milli / 1_000 if kind.cpu_milli else reached
            reachable += share * reached
            usable += share * min(reached, fed)
    found = Outlook(JobMix(mix)).worth(two_devices(HALF_TAKEN)._replace(cpu_milli=cpu_milli))
    assert found.reachable == pytest.approx(reachable)
    assert found.usable == pytest.approx(usable)


def test_what_was_asked_in_between_does_not_matter() -> None:
    outlook = Outlook(JobMix(((WHOLE, 1.0),)))
    lefts = [two_devices(make_allocation(tuple(range(held)))) if held else two_devices() for held in (0, 1, 2)]
    for number in (0, 1, 0, 2, 1, 0, 2):
        assert outlook.worth(lefts[number]).free == 2 - number


def test_workers_that_differ_only_in_what_else_they_accept_count_as_one() -> None:
    mix = ((WorkerKind(0, 500, 1, ("h100",)), 0.25), (WorkerKind(0, 500, 1, ("h100", "mlu")), 0.5))
    apart, together = (Outlook(JobMix(kinds)) for kinds in (mix, ((WorkerKind(0, 500, 1, ()), 0.75),)))
    assert apart.worth(two_devices(HALF_TAKEN)) == together.worth(two_devices(HALF_TAKEN))
