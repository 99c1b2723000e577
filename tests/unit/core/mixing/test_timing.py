"""The time of a step by formula."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.pipeline import PipelineTimes
from scheduler.core.mixing.timing import blocking_period_s, period_s, step_s, window_period_s


def pipeline(busy_s: list[float], transfer_s: list[float] | None = None, *, micro_batches: int = 10) -> PipelineTimes:
    stages = len(busy_s)
    return PipelineTimes(
        micro_batches,
        tuple(time_s / 3 for time_s in busy_s),
        tuple(time_s * 2 / 3 for time_s in busy_s),
        tuple(transfer_s or [0.0] * (stages - 1)),
        (0,) * (stages - 1),
        (0.0,) * stages,
        (0.0,) * stages,
    )


def test_without_transfers_the_slowest_stage_is_the_period() -> None:
    assert period_s(pipeline([1, 5, 2])) == pytest.approx(5)
    assert period_s(pipeline([3])) == pytest.approx(3)


def test_a_round_trip_over_a_slow_boundary_does_not_hide() -> None:
    times = pipeline([4, 4], [3])
    assert window_period_s(times) == pytest.approx((4 + 4 + 2 * 3) / 2)


def test_the_worst_window_may_be_any_part_of_the_pipeline() -> None:
    times = pipeline([1, 6, 6, 1], [0.1, 5, 0.1])
    assert window_period_s(times) == pytest.approx((6 + 6 + 2 * 5) / 2)


def test_forwards_that_run_ahead_hide_a_slow_boundary() -> None:
    times = replace(pipeline([4, 4], [3]), extra_warm_up=(1,))
    assert window_period_s(times) == pytest.approx((4 + 4 + 2 * 3) / 3)
    assert window_period_s(replace(times, extra_warm_up=(2,))) == pytest.approx(4)


def test_a_boundary_carries_one_micro_batch_at_a_time_however_far_stages_run_ahead() -> None:
    times = replace(pipeline([1, 1], [3]), extra_warm_up=(50,))
    assert period_s(times) == pytest.approx(3)


def test_a_stage_that_waits_for_its_transfers_takes_two_on_each_side() -> None:
    assert blocking_period_s(pipeline([4, 4, 4], [1, 3])) == pytest.approx(4 + 2 * 1 + 2 * 3)


def test_beta_is_the_part_of_sending_that_blocks() -> None:
    times = pipeline([4, 4, 4], [1, 3])
    free_s, blocked_s = window_period_s(times), blocking_period_s(times)
    assert period_s(replace(times, blocking_share=1.0)) == pytest.approx(blocked_s)
    assert period_s(replace(times, blocking_share=0.44)) == pytest.approx(0.56 * free_s + 0.44 * blocked_s)


def test_a_step_fills_the_pipeline_once_and_then_goes_by_periods() -> None:
    times = pipeline([4, 4], [3], micro_batches=11)
    assert step_s(times) == pytest.approx(10 * 7 + 4 + 4 + 2 * 3)
    assert step_s(replace(times, micro_batches=1)) == pytest.approx(4 + 4 + 2 * 3)


def test_the_slowest_sync_and_the_slowest_update_end_a_step() -> None:
    times = replace(pipeline([4, 4]), gradient_sync_s=(2.0, 1.0), update_s=(0.25, 0.5))
    assert step_s(times) == pytest.approx(step_s(pipeline([4, 4])) + 2.5)
