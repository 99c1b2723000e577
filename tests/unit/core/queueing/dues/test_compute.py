from scheduler.core.model.measuring.throughput import JobFamily, Speed
from scheduler.core.queueing.dues.compute import MOST_RATE, rates_of, rates_of_family
from tests.builders.database import make_chip


def test_a_device_is_worth_what_the_catalogue_plans_with() -> None:
    chips = [
        make_chip("h100", dense_bf16_tflops=989.5, measured_tflops=None),
        make_chip("t4", dense_bf16_tflops=None, measured_tflops=24.4),
        make_chip("vague", dense_bf16_tflops=None, measured_tflops=None),
        make_chip("tiny", dense_bf16_tflops=0.1, measured_tflops=None),
    ]
    assert rates_of(chips) == {"h100": 990, "t4": 24, "vague": 1, "tiny": 1}


RATES = {"h100": 1_000, "mi300x": 1_300, "t4": 60}


def of_family(*, is_set: bool = False, **speeds: float | None) -> dict[str, int]:
    family = JobFamily("alpha", "bert")
    return dict(rates_of_family(RATES, [Speed(family, chip, per_s, is_set) for chip, per_s in speeds.items()]))


def test_a_family_is_measured_against_the_chip_type_of_most_units_that_it_is_known_on() -> None:
    assert of_family(h100=500.0, t4=50.0) == {"h100": 1_000, "t4": 100}
    assert of_family(h100=500.0, t4=50.0, mi300x=400.0) == {"h100": 1_625, "mi300x": 1_300, "t4": 162}


def test_one_chip_type_alone_and_what_nobody_has_tell_nothing() -> None:
    assert of_family(t4=50.0) == {}
    assert of_family(abacus=50.0) == {}
    assert of_family(h100=None, t4=0.0) == {}


def test_what_workers_report_is_believed_within_bounds_and_an_operator_beyond_them() -> None:
    assert of_family(h100=500.0, t4=500.0)["t4"] == 240
    assert of_family(h100=500.0, t4=0.001)["t4"] == 15
    assert of_family(is_set=True, h100=500.0, t4=500.0)["t4"] == 1_000
    assert of_family(is_set=True, h100=500.0, t4=0.001)["t4"] == 1
    assert of_family(is_set=True, h100=1e-300, t4=1e300)["t4"] == MOST_RATE
