"""What a layer takes with a micro-batch that nobody measured."""

import pytest

from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey, Profiles
from scheduler.core.mixing.calibrating.interpolating import layer_at


def known(**times_s: float) -> Profiles:
    """Return profiles of one chip type by micro-batch: b1 to b16."""
    layers = {ProfileKey("t4", 1, int(name[1:])): LayerProfile(s, 2 * s, 0.1 * s, s) for name, s in times_s.items()}
    return Profiles(1, layers)


def forward_s(profiles: Profiles, micro_batch: int) -> float | None:
    found = layer_at(profiles, "t4", tensor_parallel=1, micro_batch=micro_batch)
    return None if found is None else found.layer_forward_s


def test_what_was_measured_is_as_it_was_measured() -> None:
    profiles = known(b1=0.004, b4=0.010)
    assert forward_s(profiles, 4) == 0.010
    assert layer_at(profiles, "t4", tensor_parallel=2, micro_batch=4) is None
    assert layer_at(profiles, "v100", tensor_parallel=1, micro_batch=4) is None


def test_between_two_that_were_measured_times_are_on_a_line() -> None:
    found = layer_at(known(b1=0.004, b4=0.010, b16=0.090), "t4", tensor_parallel=1, micro_batch=2)
    assert found is not None
    assert (found.layer_forward_s, found.layer_backward_s) == pytest.approx((0.006, 0.012))
    assert (found.embedding_s, found.head_s) == pytest.approx((0.0006, 0.006))


def test_from_one_alone_no_other_follows() -> None:
    profiles = known(b2=0.004)
    assert [forward_s(profiles, batch) for batch in (1, 4, 16)] == [None, None, None]


def test_beyond_the_largest_the_line_goes_on_but_not_far() -> None:
    profiles = known(b1=0.004, b4=0.010)
    assert forward_s(profiles, 8) == pytest.approx(0.018)
    assert forward_s(profiles, 9) is None


def test_beyond_the_largest_a_layer_takes_no_less_and_no_more_than_in_proportion() -> None:
    assert forward_s(known(b1=0.010, b2=0.009), 4) == pytest.approx(0.009)
    assert forward_s(known(b1=0.001, b2=0.010), 4) == pytest.approx(0.020)


def test_an_end_that_was_not_measured_with_both_is_not_known() -> None:
    layers = {
        ProfileKey("t4", 1, 1): LayerProfile(0.1, 0.2, head_s=0.3),
        ProfileKey("t4", 1, 4): LayerProfile(0.2, 0.4, update_s=0.01),
    }
    found = layer_at(Profiles(1, layers), "t4", tensor_parallel=1, micro_batch=2)
    assert found is not None
    assert (found.embedding_s, found.head_s, found.update_s) == (None, None, 0.01)
