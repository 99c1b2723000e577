"""What cannot be a measurement of a stage."""

from dataclasses import replace
from math import inf, nan

import pytest

from scheduler.core.mixing.calibrating.nonsense import nonsense
from scheduler.core.model.measuring.layers import ProfileKey
from scheduler.core.model.measuring.stages import RefusalCause, StageTime

GOOD = StageTime(
    ProfileKey("h100", 2, 4), layers=8, has_embedding=False, has_head=False, recomputes=False,
    forward_s=0.08, backward_s=0.16,
)  # fmt: skip


def test_what_a_stage_may_take_is_no_nonsense() -> None:
    assert nonsense(GOOD) is None
    assert nonsense(replace(GOOD, update_s=0.01)) is None


@pytest.mark.parametrize(
    ("stage", "cause"),
    [
        (replace(GOOD, forward_s=nan), RefusalCause.NOT_FINITE),
        (replace(GOOD, backward_s=inf), RefusalCause.NOT_FINITE),
        (replace(GOOD, update_s=nan), RefusalCause.NOT_FINITE),
        (replace(GOOD, forward_s=0.0), RefusalCause.NOT_POSITIVE),
        (replace(GOOD, backward_s=-0.1), RefusalCause.NOT_POSITIVE),
        (replace(GOOD, update_s=-1e-9), RefusalCause.NOT_POSITIVE),
        (replace(GOOD, backward_s=3_601.0), RefusalCause.TOO_LONG),
        (replace(GOOD, layers=0), RefusalCause.NO_LAYERS),
        (replace(GOOD, key=ProfileKey("h100", 0, 4)), RefusalCause.BAD_DEGREE),
        (replace(GOOD, key=ProfileKey("h100", 2, 0)), RefusalCause.BAD_DEGREE),
    ],
)
def test_nonsense_has_its_cause(stage: StageTime, cause: RefusalCause) -> None:
    assert nonsense(stage) is cause
