from statistics import mean

from scheduler.simulator.chance import drawn


def test_the_same_numbers_give_the_same_draw_and_others_another() -> None:
    assert drawn(1, 2, 3) == drawn(1, 2, 3)
    assert len({drawn(seed, number, what) for seed in range(5) for number in range(20) for what in range(5)}) == 500


def test_draws_are_spread_evenly_from_0_to_1() -> None:
    found = [drawn(7, number) for number in range(4_000)]
    assert 0 <= min(found) < 0.01
    assert 0.99 < max(found) < 1
    assert 0.48 < mean(found) < 0.52
    assert all(350 < sum(tenth <= one * 10 < tenth + 1 for one in found) < 450 for tenth in range(10))
