"""Why nothing was learnt from a stage, in words."""

import pytest

from api.text.training.stages import refused_stage_text
from scheduler.core.model.measuring.layers import ProfileKey
from scheduler.core.model.measuring.stages import RefusalCause, RefusedStage, StageTime

STAGE = StageTime(
    ProfileKey("h100", 2, 4), 8, has_embedding=False, has_head=False, recomputes=False, forward_s=1.0, backward_s=2.0
)


@pytest.mark.parametrize("cause", RefusalCause)
def test_every_cause_has_a_sentence_of_its_own(cause: RefusalCause) -> None:
    text = refused_stage_text(RefusedStage(STAGE, cause, 5.25))
    others = {refused_stage_text(RefusedStage(STAGE, other, 5.25)) for other in RefusalCause if other is not cause}
    assert text not in others


def test_an_outlier_is_told_with_its_ratio_and_a_foreign_chip_by_name() -> None:
    outlier = refused_stage_text(RefusedStage(STAGE, RefusalCause.OUTLIER, 5.25))
    assert outlier == "it took 5.2 times what the other stages and earlier reports let expect"
    assert refused_stage_text(RefusedStage(STAGE, RefusalCause.OTHER_CHIP)) == "the attempt has no h100"
