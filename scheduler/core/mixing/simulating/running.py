"""Run one step of a pipeline in the order of 1F1B.

A stage runs `ahead` forwards, then one backward and one forward by turns, then what backwards are left (Megatron's
1F1B, arXiv 2104.04473). `ahead` grows by one with each stage before the last, and by the extra warm-ups of boundaries
behind (the idea of HAPT's H-1F1B). So the n-th round of a stage, one backward and one forward, needs nothing but
earlier rounds of the stage behind it: all stages take a round at once, as arrays.
"""

from dataclasses import dataclass

import numpy as np

from scheduler.core.mixing.pipeline import PipelineTimes
from scheduler.core.mixing.simulating.timeline import Seconds, Timeline


def run(times: PipelineTimes) -> Timeline:
    """Return when each stage computes each micro-batch, and how long the step takes.

    A boundary carries one micro-batch at a time each way. Without a blocking share, what is sent travels beside the
    computing. With all of it, sender and receiver both stand still for as long as it travels; in between each moment is
    the mix of those two, as the formula's period is.
    """
    share = times.blocking_share
    timeline = _timeline(times, _schedule(times, blocks=False))
    if not share or times.stages == 1:
        return timeline
    blocked = _timeline(times, _schedule(times, blocks=True))
    return Timeline(
        forward_start_s=_mix(timeline.forward_start_s, blocked.forward_start_s, share),
        forward_end_s=_mix(timeline.forward_end_s, blocked.forward_end_s, share),
        backward_start_s=_mix(timeline.backward_start_s, blocked.backward_start_s, share),
        backward_end_s=_mix(timeline.backward_end_s, blocked.backward_end_s, share),
        step_s=(1 - share) * timeline.step_s + share * blocked.step_s,
    )


def rounds_ahead(times: PipelineTimes) -> tuple[int, ...]:
    """Return per stage how many forwards it runs before its first backward, were there enough micro-batches."""
    ahead = [1] * times.stages
    for stage in range(times.stages - 2, -1, -1):
        ahead[stage] = ahead[stage + 1] + 1 + times.extra_warm_up[stage]
    return tuple(ahead)


@dataclass(frozen=True, slots=True)
class _Schedule:
    """Ends of computing, micro-batches by stages, in seconds."""

    forward_s: Seconds
    backward_s: Seconds


def _timeline(times: PipelineTimes, schedule: _Schedule) -> Timeline:
    # The optimiser's step waits for the norm of all gradients, so for every stage's all-reduce.
    synced_s = schedule.backward_s[-1] + np.array(times.gradient_sync_s)
    return Timeline(
        forward_start_s=schedule.forward_s - np.array(times.forward_s),
        forward_end_s=schedule.forward_s,
        backward_start_s=schedule.backward_s - np.array(times.backward_s),
        backward_end_s=schedule.backward_s,
        step_s=float(synced_s.max()) + max(times.update_s),
    )


def _schedule(times: PipelineTimes, *, blocks: bool) -> _Schedule:
    """Run all rounds: in round k a stage has its backward of micro-batch k - ahead and its forward of micro-batch k."""
    stages, micro_batches = times.stages, times.micro_batches
    before_s, behind_s = np.zeros(stages), np.zeros(stages)
    transfer_s = np.array(times.transfer_s)
    if blocks:  # a stage's turn has its transfers in it, and the turns of both ends overlap in them
        before_s[1:], behind_s[:-1] = transfer_s, transfer_s
        transfer_s = -transfer_s
    forward_s = np.array(times.forward_s) + before_s + behind_s
    backward_s = np.array(times.backward_s) + before_s + behind_s
    ahead = np.array(rounds_ahead(times))
    rounds = micro_batches + int(ahead[0])
    forward_end_s = np.zeros((micro_batches, stages))
    backward_end_s = np.zeros((rounds, stages))  # by rounds, not by micro-batches
    come_s = np.cumsum(forward_s) - forward_s
    come_s[1:] += np.cumsum(transfer_s)  # from the first stage's start to this one's, if nobody waits
    behind = np.arange(1, stages)
    gap = ahead[:-1] - ahead[1:]
    free_s = np.zeros(stages)
    sent_s, returned_s = np.full(stages - 1, -np.inf), np.full(stages - 1, -np.inf)  # when each boundary is free again
    for k in range(rounds):
        if k:
            has_backward = (k >= ahead) & (k < ahead + micro_batches)
            given_s = backward_end_s[np.maximum(k - gap, 0), behind]
            returned_s = np.where(has_backward[:-1], np.maximum(given_s, returned_s) + transfer_s, returned_s)
            free_s[:-1] = np.where(has_backward[:-1], np.maximum(free_s[:-1], returned_s), free_s[:-1])
            free_s += np.where(has_backward, backward_s, 0.0)
            backward_end_s[k] = free_s
        if k < micro_batches:
            free_s[1:] = np.maximum(free_s[1:], sent_s + transfer_s)
            free_s = np.maximum.accumulate(free_s - come_s) + come_s + forward_s
            sent_s = np.maximum(free_s[:-1], sent_s) + transfer_s
            forward_end_s[k] = free_s
    rows = np.arange(micro_batches)[:, None] + ahead
    return _Schedule(forward_end_s - behind_s, backward_end_s[rows, np.arange(stages)] - before_s)


def _mix(first: Seconds, second: Seconds, share: float) -> Seconds:
    return (1 - share) * first + share * second
