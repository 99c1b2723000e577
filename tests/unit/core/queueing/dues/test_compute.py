from scheduler.core.queueing.dues.compute import rates_of
from tests.builders.database import make_chip


def test_a_device_is_worth_what_the_catalogue_plans_with() -> None:
    chips = [
        make_chip("h100", dense_bf16_tflops=989.5, measured_tflops=None),
        make_chip("t4", dense_bf16_tflops=None, measured_tflops=24.4),
        make_chip("vague", dense_bf16_tflops=None, measured_tflops=None),
        make_chip("tiny", dense_bf16_tflops=0.1, measured_tflops=None),
    ]
    assert rates_of(chips) == {"h100": 990, "t4": 24, "vague": 1, "tiny": 1}
