"""What a layer takes, from what stages of several layers took."""

from dataclasses import replace
from math import nan
from random import Random

import pytest

from scheduler.core.mixing.calibrating.refitting import Refit, refit
from scheduler.core.model.measuring.layers import LayerProfile, ProfileKey
from scheduler.core.model.measuring.stages import EndsInLayers, RefusalCause, StageTime

KEY = ProfileKey("h100", 2, 4)
TRUE = LayerProfile(0.010, 0.021, embedding_s=0.006, head_s=0.066, update_s=0.001)


def stage(
    layers: int, ends: str = "", *, recomputes: bool = False, key: ProfileKey = KEY, by: float = 1.0
) -> StageTime:
    """Return what a stage takes by TRUE, times a factor; `ends` has an e for the embedding and an h for the head."""
    ends_s = (TRUE.embedding_s or 0.0) * ("e" in ends) + (TRUE.head_s or 0.0) * ("h" in ends)
    forward_s = layers * TRUE.layer_forward_s
    backward_s = layers * (TRUE.layer_backward_s + TRUE.layer_forward_s * recomputes)
    return StageTime(
        key, layers, "e" in ends, "h" in ends, recomputes,
        forward_s=by * (forward_s + ends_s / 3),
        backward_s=by * (backward_s + ends_s * 2 / 3),
        update_s=layers * (TRUE.update_s or 0.0),
    )  # fmt: skip


def layer(found: Refit, key: ProfileKey = KEY) -> LayerProfile:
    return found.layers[key].times


def near(found: LayerProfile, *, part: float = 0.001, ends: str = "eh") -> bool:
    """Say whether a profile is TRUE but for a part of it."""
    wanted = [
        (found.layer_forward_s, TRUE.layer_forward_s),
        (found.layer_backward_s, TRUE.layer_backward_s),
        *([(found.embedding_s, TRUE.embedding_s)] if "e" in ends else []),
        *([(found.head_s, TRUE.head_s)] if "h" in ends else []),
    ]
    return all(one == pytest.approx(other, rel=part) for one, other in wanted)


def test_a_pipeline_of_one_chip_type_tells_layers_and_ends_apart() -> None:
    found = refit([stage(5, "e"), stage(7), stage(8), stage(4, "h")])
    assert near(layer(found))
    assert layer(found).update_s == pytest.approx(TRUE.update_s)
    assert found.layers[KEY].stages == 4
    assert found.refused == ()


@pytest.mark.parametrize("ends", ["", "e", "h"])
def test_recomputation_is_no_part_of_the_backward_pass_of_a_profile(ends: str) -> None:
    found = refit([stage(7, recomputes=True), stage(6), stage(5, ends, recomputes=True)])
    assert near(layer(found), ends=ends)


def test_each_chip_type_degree_and_micro_batch_has_layers_of_its_own() -> None:
    other = ProfileKey("mi300x", 4, 1)
    found = refit([stage(5), stage(5, key=other, by=2.0)])
    assert layer(found, other).layer_forward_s == pytest.approx(2 * layer(found).layer_forward_s)
    assert layer(found).embedding_s is None
    assert layer(found).head_s is None


def test_noise_of_measuring_is_averaged_out() -> None:
    random = Random(3)
    stages = [stage(n, ends, by=random.gauss(1.0, 0.02)) for ends in ("e", "", "", "", "h") for n in range(4, 12)]
    found = refit(stages)
    assert near(layer(found), part=0.02, ends="")
    assert near(layer(found), part=0.1, ends="h")


@pytest.mark.parametrize("factor", [0.3, 2.0, 3.5])
def test_an_outlier_is_refused_and_bends_nothing(factor: float) -> None:
    slow = stage(9, by=factor)
    found = refit([stage(5, "e"), stage(7), slow, stage(6), stage(8), stage(4, "h")])
    assert near(layer(found))
    (refused,) = found.refused
    assert (refused.stage, refused.cause) == (slow, RefusalCause.OUTLIER)
    assert refused.ratio == pytest.approx(factor)


def test_what_is_nothing_like_earlier_reports_is_refused_though_it_is_alone() -> None:
    for factor in (0.1, 10.0):
        found = refit([stage(6, by=factor)], {KEY: TRUE})
        assert found.layers == {}
        (refused,) = found.refused
        assert refused.cause is RefusalCause.OUTLIER
        assert refused.ratio == pytest.approx(factor)
    assert layer(refit([stage(6, by=2.0)], {KEY: TRUE})).layer_forward_s == pytest.approx(0.020)


def test_ends_that_stages_do_not_tell_apart_are_taken_from_what_is_known() -> None:
    assert near(layer(refit([stage(5, "eh")], {KEY: TRUE})), ends="")
    assert near(layer(refit([stage(5, "e"), stage(7, "h")], {KEY: TRUE})), ends="")


def test_ends_that_nobody_knows_are_refused_and_the_rest_counts() -> None:
    ends = stage(5, "eh")
    found = refit([ends])
    assert found.layers == {}
    assert [(each.stage, each.cause) for each in found.refused] == [(ends, RefusalCause.ONLY_ENDS)]
    pair = refit([stage(6, "e"), stage(7, "h")])
    assert {each.cause for each in pair.refused} == {RefusalCause.ONLY_ENDS}
    mixed = refit([stage(6, "eh"), stage(6)])
    assert near(layer(mixed), ends="")


@pytest.mark.parametrize("recomputes", [False, True])
def test_ends_that_nobody_measured_are_what_the_plan_says(*, recomputes: bool) -> None:
    in_layers = EndsInLayers(6 / 31, 66 / 31)
    other = ProfileKey("mi300x", 4, 1)
    found = refit([stage(5, "e", recomputes=recomputes), stage(7, "h", key=other)], {}, in_layers)
    assert found.refused == ()
    for key in (KEY, other):
        assert near(layer(found, key), part=0.02, ends="")
        assert layer(found, key).head_s is None
    measured = refit([stage(5, "e"), stage(7), stage(8)], {}, EndsInLayers(9.0, 9.0))
    assert near(layer(measured), ends="e")


def test_nonsense_is_refused_and_the_rest_counts() -> None:
    found = refit([replace(stage(5), forward_s=nan), replace(stage(5), backward_s=-1.0), stage(7)])
    assert near(layer(found), ends="")
    assert [each.cause for each in found.refused] == [RefusalCause.NOT_FINITE, RefusalCause.NOT_POSITIVE]


def test_a_backward_pass_without_the_recomputation_that_it_is_said_to_have_is_refused() -> None:
    short = replace(stage(5, recomputes=True), backward_s=0.04)
    found = refit([short])
    assert found.layers == {}
    assert [each.cause for each in found.refused] == [RefusalCause.CONTRADICTORY]


def test_of_nothing_nothing_follows() -> None:
    assert refit([]) == Refit({}, ())


def test_an_end_that_is_less_than_the_noise_takes_nothing() -> None:
    found = refit([replace(stage(5), has_embedding=True, forward_s=0.049, backward_s=0.104), stage(5), stage(7)])
    assert layer(found).embedding_s == 0.0
    assert near(layer(found), part=0.02, ends="")
