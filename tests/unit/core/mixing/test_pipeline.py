"""A pipeline in numbers."""

import pytest

from scheduler.core.mixing.pipeline import PipelineTimes


def test_a_stage_is_busy_forward_and_backward() -> None:
    times = PipelineTimes(8, (1.0, 2.0), (3.0, 4.5), (0.1,), (0,), (0.0, 0.0), (0.0, 0.0))
    assert times.stages == 2
    assert times.busy_s == (4.0, 6.5)


def test_a_pipeline_has_as_many_backward_times_as_forward_times() -> None:
    with pytest.raises(ValueError, match="shorter"):
        _ = PipelineTimes(8, (1.0, 2.0), (3.0,), (0.1,), (0,), (0.0, 0.0), (0.0, 0.0)).busy_s
