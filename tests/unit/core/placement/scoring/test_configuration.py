import pytest

from scheduler.core.model.chip import ChipType
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring, worth_of
from scheduler.core.placement.scoring.weights import DEFAULT_WEIGHTS


def chip(name: str, *, measured: float | None = None, data_sheet: float | None = None) -> ChipType:
    return ChipType(
        name=name,
        vendor="someone",
        model=name,
        memory_mib=None,
        dense_bf16_tflops=data_sheet,
        measured_tflops=measured,
        memory_bandwidth_gb_s=None,
        link_bandwidth_gb_s=None,
        link=None,
        torch_device="cuda",
        collective_library="nccl",
    )


CATALOGUE = [chip("fast", measured=800.0, data_sheet=1_000.0), chip("slow", data_sheet=200.0), chip("unknown")]


def test_a_chip_type_is_worth_its_part_of_the_highest_rate_measured_where_that_is_known() -> None:
    assert dict(worth_of(DEFAULT_SCORING, CATALOGUE).values) == {"fast": 1.0, "slow": 0.25}


def test_what_an_operator_says_comes_before_the_catalogue() -> None:
    said = Scoring(chip_values={"slow": 0.9, "unknown": 0.1})
    assert dict(worth_of(said, CATALOGUE).values) == {"fast": 1.0, "slow": 0.9, "unknown": 0.1}


@pytest.mark.parametrize("chips", [[], [chip("unknown")], [chip("none", data_sheet=0.0)]])
def test_where_no_rate_is_known_nothing_is_worth_more_than_anything_else(chips: list[ChipType]) -> None:
    assert dict(worth_of(DEFAULT_SCORING, chips).values) == {}


def test_headroom_is_taken_as_it_is_said() -> None:
    assert dict(worth_of(Scoring(headroom_devices={"fast": 8}), CATALOGUE).headroom_devices) == {"fast": 8}


def test_without_a_word_of_the_operator_the_mix_is_learnt_and_the_weights_are_those_that_were_found() -> None:
    assert DEFAULT_SCORING.job_mix is None
    assert DEFAULT_SCORING.weights is DEFAULT_WEIGHTS
