"""Why nothing was learnt from a stage, in words."""

from typing import assert_never

from scheduler.core.model.measuring.stages import LONGEST_STAGE_S, RefusalCause, RefusedStage


def refused_stage_text(refused: RefusedStage) -> str:  # noqa: PLR0911 - one sentence per cause
    """Return why a stage's times are not used."""
    match refused.cause:
        case RefusalCause.NOT_FINITE:
            return "its times are no finite numbers"
        case RefusalCause.NOT_POSITIVE:
            return "its times must be above zero"
        case RefusalCause.TOO_LONG:
            return f"no stage takes more than {LONGEST_STAGE_S:g} s for one micro-batch"
        case RefusalCause.NO_LAYERS:
            return "it has no layers"
        case RefusalCause.BAD_DEGREE:
            return "its tensor-parallel degree and micro-batch must be 1 or more"
        case RefusalCause.OUTLIER:
            return f"it took {refused.ratio or 0.0:.2g} times what the other stages and earlier reports let expect"
        case RefusalCause.ONLY_ENDS:
            return "nothing says what its embedding or head takes of its time: report a stage without them as well"
        case RefusalCause.CONTRADICTORY:
            return "by it and the other stages a layer would take no time: is recomputation in its backward pass?"
        case RefusalCause.OTHER_CHIP:
            return f"the attempt has no {refused.stage.key.chip}"
    assert_never(refused.cause)
