"""What a plan says of itself."""

import pytest

from scheduler.core.mixing.plan import MemoryUse, Plan, Prediction, Stage

MEMORY = MemoryUse(parameters=1, gradients=2, optimiser=4, activations=8, logits=16, reserved=32, limit=100)
PREDICTION = Prediction(2.0, 1.9, 2.3, is_simulated=True, ideal_s=1.5, tokens_per_s=1.0, flops_utilisation=0.5)


def stage_of(tensor_parallel: int) -> Stage:
    return Stage("a", "chip", 0, 4, tensor_parallel, False, 1.0, 2.0, 0.1, 0.1, MEMORY, is_estimate=False)


def test_memory_is_the_sum_of_its_parts_and_not_of_its_limit() -> None:
    assert MEMORY.total == 63


def test_the_share_of_ideal_is_ideal_by_predicted_time() -> None:
    assert PREDICTION.ideal_share == pytest.approx(0.75)


def test_a_plan_takes_the_devices_of_all_stages_in_all_replicas() -> None:
    plan = Plan(3, 1, 8, (stage_of(2), stage_of(4)), (), PREDICTION)
    assert plan.devices == 18
