"""What a timeline says of itself."""

import numpy as np

from scheduler.core.mixing.simulating.timeline import Direction, Timeline


def timeline() -> Timeline:
    """One stage, two micro-batches: both forwards before the first backward."""
    return Timeline(
        forward_start_s=np.array([[0.0], [1.0]]),
        forward_end_s=np.array([[1.0], [2.0]]),
        backward_start_s=np.array([[2.0], [4.0]]),
        backward_end_s=np.array([[4.0], [6.0]]),
        step_s=6.0,
    )


def test_it_says_its_size() -> None:
    assert (timeline().stages, timeline().micro_batches) == (1, 2)


def test_spans_follow_each_other() -> None:
    spans = list(timeline().spans(0))
    assert [(span.direction, span.micro_batch) for span in spans] == [
        (Direction.FORWARD, 0),
        (Direction.FORWARD, 1),
        (Direction.BACKWARD, 0),
        (Direction.BACKWARD, 1),
    ]


def test_what_is_in_flight_counts_from_forward_to_backward() -> None:
    assert timeline().peak_in_flight == (2,)
