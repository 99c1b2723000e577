from dataclasses import replace

from tests.builders.core import make_chip

CHIP = make_chip()


def test_the_data_sheet_is_planned_with_as_an_estimate_until_the_rate_is_measured() -> None:
    assert (CHIP.planning_tflops, CHIP.rate_is_estimate) == (989.0, True)


def test_a_measured_rate_is_preferred_to_the_data_sheet() -> None:
    measured = replace(CHIP, measured_tflops=640.0)
    assert (measured.planning_tflops, measured.rate_is_estimate) == (640.0, False)


def test_a_chip_without_any_rate_has_none_to_plan_with() -> None:
    assert replace(CHIP, dense_bf16_tflops=None).planning_tflops is None
