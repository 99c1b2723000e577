import pytest

from scheduler.core.queueing.rounds.allocating import Allocation, Goal, Runner, allocate

PAIR = {"new": 1.0, "old": 1.0}


def runner(job: str, devices: float = 1.0, *, remaining_s: float = 600.0, weight: float = 1.0, **on: float) -> Runner:
    return Runner(job, devices, tuple(sorted(on.items())), remaining_s, weight)


def progress(allocation: Allocation, of: Runner) -> float:
    return sum(allocation.get(of.job, {}).get(chip, 0.0) * speed for chip, speed in of.speeds)


def test_what_gains_most_from_a_chip_type_has_more_of_it() -> None:
    keen, easy = runner("keen", new=4.0, old=1.0), runner("easy", new=2.0, old=2.0)
    found = allocate([keen, easy], PAIR, Goal.FAIRNESS)
    assert progress(found, keen) > 3.2, "half of each would be 2.5"
    assert progress(found, easy) == pytest.approx(2.0, rel=0.05)


def test_two_that_cannot_both_have_the_best_have_as_much_for_their_dues() -> None:
    a, b = runner("a", new=4.0, old=1.0), runner("b", new=2.0, old=1.0)
    found = allocate([a, b], PAIR, Goal.FAIRNESS)
    assert progress(found, a) / 2.5 == pytest.approx(progress(found, b) / 1.5, rel=0.05)
    assert progress(found, a) == pytest.approx(2.5, rel=0.05)


def test_whose_weight_is_larger_has_more() -> None:
    heavy, light = runner("heavy", new=1.0, weight=3.0), runner("light", new=1.0)
    found = allocate([heavy, light], {"new": 1.0}, Goal.FAIRNESS)
    assert progress(found, heavy) / progress(found, light) == pytest.approx(3.0, rel=0.1)


def test_what_somebody_cannot_use_is_left_to_those_who_can() -> None:
    slow, other = runner("slow", old=1.0), runner("other", new=1.0, old=1.0)
    found = allocate([slow, other], PAIR, Goal.FAIRNESS)
    assert progress(found, slow) == pytest.approx(1.0, rel=0.05)
    assert progress(found, other) == pytest.approx(1.0, rel=0.05)


def test_the_shortest_are_done_first_where_they_are_fastest() -> None:
    short, long = runner("short", remaining_s=60.0, new=2.0), runner("long", remaining_s=6_000.0, new=2.0)
    assert allocate([short, long], {"new": 1.0}, Goal.FINISH) == {"short": {"new": 1.0}}


def test_who_hardly_gains_leaves_the_best_to_whoever_does_though_it_is_shorter() -> None:
    short, long = runner("short", remaining_s=500.0, new=1.0, old=0.9), runner("long", new=1.0, old=0.1)
    assert allocate([short, long], PAIR, Goal.FINISH) == {"short": {"old": 1.0}, "long": {"new": 1.0}}


def test_one_that_is_overdue_goes_before_the_shortest() -> None:
    short = runner("short", remaining_s=1.0, new=1.0)
    late = Runner("late", 1.0, (("new", 1.0),), 1e6, is_overdue=True)
    assert allocate([short, late], {"new": 1.0}, Goal.FINISH) == {"late": {"new": 1.0}}


@pytest.mark.parametrize("goal", Goal)
def test_who_fits_nowhere_has_nothing(goal: Goal) -> None:
    assert allocate([runner("large", 2.0, new=1.0)], PAIR, goal) == {}
    assert allocate([], PAIR, goal) == {}
