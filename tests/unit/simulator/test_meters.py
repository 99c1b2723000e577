import pytest

from scheduler.simulator.meters import FIRST_STEP_S, MOST_STEPS, Meter, quantile


def test_a_step_has_the_mean_of_what_was_in_it() -> None:
    meter = Meter()
    meter.add(FIRST_STEP_S // 2, 4.0)
    meter.add(FIRST_STEP_S, -1.0)
    meter.pass_until(FIRST_STEP_S * 5 // 2)
    assert meter.means() == [2.0, 3.0, 3.0]
    assert meter.total() == pytest.approx(4 * FIRST_STEP_S / 2 + 3 * FIRST_STEP_S * 1.5)


def test_a_long_run_has_longer_steps_and_loses_nothing() -> None:
    meter = Meter(1.0)
    until_s = FIRST_STEP_S * MOST_STEPS * 5
    for at_s in range(0, until_s, 1_000):
        meter.add(at_s, 1.0)
    meter.pass_until(until_s)
    assert len(meter.means()) <= MOST_STEPS
    assert meter.step_s > FIRST_STEP_S
    assert meter.total() == pytest.approx(sum(until_s - at_s for at_s in range(0, until_s, 1_000)) + until_s)


def test_several_things_at_one_time_are_one_step_up() -> None:
    meter = Meter()
    meter.add(0, 2.0)
    meter.add(0, 3.0)
    meter.pass_until(10)
    assert (meter.value, meter.means()) == (5.0, [5.0])


@pytest.mark.parametrize(("part", "want"), [(0.0, 1), (0.5, 2), (0.51, 3), (0.9, 4), (1.0, 4)])
def test_a_quantile_is_one_of_the_values(part: float, want: float) -> None:
    assert quantile([1, 2, 3, 4], part) == want


def test_nothing_has_no_quantile() -> None:
    assert quantile([], 0.5) is None
