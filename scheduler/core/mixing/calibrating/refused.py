"""What is no measurement of a stage, and why."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from scheduler.core.model.measuring.layers import StageTime

LONGEST_S = 3_600.0
"""No stage takes an hour for one micro-batch."""


class RefusalCause(StrEnum):
    """Why a stage's times say nothing of its layers."""

    NOT_FINITE = "not-finite"
    NOT_POSITIVE = "not-positive"
    TOO_LONG = "too-long"
    NO_LAYERS = "no-layers"
    BAD_DEGREE = "bad-degree"
    """A tensor-parallel degree or a micro-batch below one."""
    OUTLIER = "outlier"
    """Far from what the other stages, or earlier reports, say of the same layers."""
    ONLY_ENDS = "only-ends"
    """It has the embedding or the head, and nothing says what these take of its time."""


@dataclass(frozen=True, slots=True)
class RefusedStage:
    """A stage whose times are not used."""

    stage: StageTime
    cause: RefusalCause
    ratio: float | None = None
    """Of an outlier: what it took by what the others let expect."""


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
    return RefusalCause.TOO_LONG if max(times_s) > LONGEST_S else None
