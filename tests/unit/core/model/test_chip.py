from dataclasses import replace

from scheduler.core.model.chip import ChipType

CHIP = ChipType(
    name="h100",
    vendor="NVIDIA",
    model="H100",
    memory_mib=81_920,
    dense_bf16_tflops=989.0,
    measured_tflops=None,
    memory_bandwidth_gb_s=None,
    link_bandwidth_gb_s=None,
    link=None,
    torch_device="cuda",
    collective_library="nccl",
)


def test_the_data_sheet_is_planned_with_as_an_estimate_until_the_rate_is_measured() -> None:
    assert (CHIP.planning_tflops, CHIP.rate_is_estimate) == (989.0, True)


def test_a_measured_rate_is_preferred_to_the_data_sheet() -> None:
    measured = replace(CHIP, measured_tflops=640.0)
    assert (measured.planning_tflops, measured.rate_is_estimate) == (640.0, False)


def test_a_chip_without_any_rate_has_none_to_plan_with() -> None:
    assert replace(CHIP, dense_bf16_tflops=None).planning_tflops is None
