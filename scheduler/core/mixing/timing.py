"""How long a step of an uneven 1F1B pipeline takes, by formula.

Metis, AMP and SAILOR take the slowest stage as the period. That is too optimistic where a boundary is slow: under 1F1B
few micro-batches are in flight across one, so that a round trip does not hide. The window form was derived for that;
`simulating` runs the schedule event by event, and property tests hold the formula to it. Extra warm-ups are the idea of
HAPT's H-1F1B.
"""

import numpy as np

from scheduler.core.mixing.pipeline import PipelineTimes


def period_s(times: PipelineTimes) -> float:
    """Return the time between two micro-batches of a steady pipeline: `(1 - beta) window + beta blocking`.

    A boundary carries one micro-batch at a time: the window is no shorter than the longest transfer.
    """
    beta = times.blocking_share
    window_s = max(window_period_s(times), *times.transfer_s, 0.0)
    return (1 - beta) * window_s + beta * blocking_period_s(times) if beta else window_s


def window_period_s(times: PipelineTimes) -> float:
    """Return the period where sending never holds up computing.

    The largest, over all windows of stages a to z, of `(sum of busy + 2 sum of transfers within) / (z - a + 1 + extra
    warm-ups within)`: a micro-batch has to go through the window and back, and so many are in it at once.
    """
    busy_s, transfer_s = np.array(times.busy_s), np.array(times.transfer_s)
    work_s = np.concatenate(([0.0], np.cumsum(busy_s)))
    both_ways_s = np.concatenate(([0.0], 2 * np.cumsum(transfer_s)))
    held = np.arange(times.stages) + np.concatenate(([0], np.cumsum(times.extra_warm_up)))
    through_s = (work_s[1:] + both_ways_s)[None, :] - (work_s[:-1] + both_ways_s)[:, None]
    in_flight = held[None, :] - held[:, None] + 1
    return float(np.max(np.triu(through_s) / np.where(in_flight > 0, in_flight, 1)))


def blocking_period_s(times: PipelineTimes) -> float:
    """Return the period where a stage computes nothing while it sends or receives, two transfers on each side."""
    edges_s = (0.0, *times.transfer_s, 0.0)
    sides = zip(times.busy_s, edges_s[:-1], edges_s[1:], strict=True)
    return max(busy_s + 2 * before_s + 2 * after_s for busy_s, before_s, after_s in sides)


def step_s(times: PipelineTimes) -> float:
    """Return the time of one step: `(m-1) P + sum of busy + 2 sum of transfers`, and the slowest sync and update."""
    once_through_s = sum(times.busy_s) + 2 * sum(times.transfer_s)
    ending_s = max(times.gradient_sync_s) + max(times.update_s)
    return (times.micro_batches - 1) * period_s(times) + once_through_s + ending_s
