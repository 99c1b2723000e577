"""What cannot be a measurement of a stage."""

from math import isfinite

from scheduler.core.model.measuring.stages import LONGEST_STAGE_S, RefusalCause, StageTime


def nonsense(stage: StageTime) -> RefusalCause | None:
    """Return what is wrong with a stage's times by themselves, None where nothing is."""
    times_s = [stage.forward_s, stage.backward_s, *([] if stage.update_s is None else [stage.update_s])]
    if stage.layers < 1:
        return RefusalCause.NO_LAYERS
    if min(stage.key.tensor_parallel, stage.key.micro_batch) < 1:
        return RefusalCause.BAD_DEGREE
    if not all(map(isfinite, times_s)):
        return RefusalCause.NOT_FINITE
    if min(times_s) <= 0.0:
        return RefusalCause.NOT_POSITIVE
    return RefusalCause.TOO_LONG if max(times_s) > LONGEST_STAGE_S else None
