"""Whatever workers report: nothing breaks, nothing is lost, and nothing senseless is learnt."""

from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.mixing.calibrating.refitting import refit
from scheduler.core.model.measuring.layers import LayerProfile, ProfileKey
from scheduler.core.model.measuring.stages import EndsInLayers, StageTime

KEYS = st.builds(ProfileKey, st.sampled_from(["h100", "mi300x"]), st.sampled_from([0, 1, 8]), st.sampled_from([1, 4]))
ANYTHING = st.floats() | st.floats(1e-12, 3_600.0) | st.just(0.0)
SECONDS = st.floats(1e-9, 3_600.0)
STAGES = st.lists(
    st.builds(
        StageTime,
        KEYS,
        st.integers(0, 200),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        ANYTHING,
        ANYTHING,
        st.none() | ANYTHING,
    ),
    max_size=12,
)
KNOWN = st.dictionaries(KEYS, st.builds(LayerProfile, SECONDS, SECONDS, st.none() | SECONDS, st.none() | SECONDS))
ENDS = st.none() | st.builds(EndsInLayers, st.floats(0.0, 9.0), st.floats(0.0, 9.0))


@given(STAGES, KNOWN, ENDS)
def test_every_stage_is_used_or_refused_and_what_follows_makes_sense(
    stages: list[StageTime], known: dict[ProfileKey, LayerProfile], ends: EndsInLayers | None
) -> None:
    found = refit(stages, known, ends)
    assert sum(each.stages for each in found.layers.values()) + len(found.refused) == len(stages)
    for each in found.layers.values():
        times = each.times
        assert isfinite(times.layer_forward_s)
        assert times.layer_forward_s > 0.0
        assert isfinite(times.layer_backward_s)
        assert times.layer_backward_s > 0.0
        assert all(end_s is None or 0.0 <= end_s < 1e9 for end_s in (times.embedding_s, times.head_s, times.update_s))


@given(
    layer_s=st.floats(1e-6, 10.0),
    backward_part=st.floats(1.0, 4.0),
    head_layers=st.floats(0.5, 8.0),
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=12),
    recomputes=st.booleans(),
)
def test_what_stages_are_made_of_is_found_again(
    *, layer_s: float, backward_part: float, head_layers: float, sizes: list[int], recomputes: bool
) -> None:
    backward_s, head_s = layer_s * backward_part, layer_s * head_layers
    stages = [
        StageTime(
            ProfileKey("h100", 1, 1),
            layers,
            has_embedding=False,
            has_head=place == 0,
            recomputes=recomputes,
            forward_s=layers * layer_s + (head_s / 3 if place == 0 else 0.0),
            backward_s=layers * (backward_s + layer_s * recomputes) + (head_s * 2 / 3 if place == 0 else 0.0),
        )
        for place, layers in enumerate(sizes)
    ]
    found = refit(stages)
    assert found.refused == ()
    (fitted,) = found.layers.values()
    assert abs(fitted.times.layer_forward_s - layer_s) < 1e-3 * layer_s
    assert abs(fitted.times.layer_backward_s - backward_s) < 1e-3 * backward_s
    assert fitted.times.head_s is not None
    assert abs(fitted.times.head_s - head_s) < 1e-2 * head_s
