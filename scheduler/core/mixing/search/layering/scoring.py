"""The formula of a step's time (see `timing`) for many pipelines at once."""

from dataclasses import dataclass

import numpy as np

from scheduler.core.mixing.search.layering.pipelines import Pipelines
from scheduler.core.mixing.search.shaping.table import Flags, Floats, Integers

PRECISION = 1e-9
"""Relative: periods that differ by less are the same."""
MOST_STEPS = 12
"""Of Newton's method on the period; it takes three or four."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """C pipelines with their layers."""

    layers: Integers
    """C, P."""
    recomputes: Flags
    """C, P."""
    extra: Integers
    """C, P - 1: extra warm-ups."""

    def take(self, which: Integers) -> "Dealt":
        """Return some of them."""
        return Dealt(self.layers[which], self.recomputes[which], self.extra[which])


def busy_s(pipelines: Pipelines, layers: Integers, recomputes: Flags) -> Floats:
    """Return forward and backward of one micro-batch for each stage."""
    with np.errstate(invalid="ignore"):  # places without a stage may be of a pool without room: no layer takes for ever
        reckoned: Floats = np.where(recomputes, pipelines.busy_s[1], pipelines.busy_s[0]) * layers + pipelines.extra_s
    return reckoned


def in_flight(pipelines: Pipelines, extra: Integers) -> Integers:
    """Return the micro-batches that each stage holds at most: `memory.in_flight`."""
    held = pipelines.behind.copy()
    if extra.any():
        held[:, :-1] += np.cumsum(extra[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(held, pipelines.count[:, None])


def fits_memory(pipelines: Pipelines, dealt: Dealt) -> Flags:
    """Say which pipelines keep within the memory of all their stages."""
    held = in_flight(pipelines, dealt.extra)
    kept = np.where(dealt.recomputes, pipelines.activation_bytes[1], pipelines.activation_bytes[0])
    taken = dealt.layers * (pipelines.layer_bytes + kept * held) + pipelines.ends_bytes * held
    said: Flags = ((taken <= pipelines.room_bytes) | ~pipelines.is_stage).all(axis=1)
    return said


def step_s(pipelines: Pipelines, dealt: Dealt, *, roughly: bool = False) -> Floats:
    """Return how long a step of each pipeline takes: C.

    Roughly: with windows of at most two stages, and for any number of dealings of each: `dealt` may have an axis more.
    """
    stage_s = np.where(pipelines.is_stage, busy_s(pipelines, dealt.layers, dealt.recomputes), 0.0)
    window_s = _short_windows_s(pipelines, stage_s, dealt.extra)
    if not roughly:
        window_s = _windows_s(pipelines, stage_s, dealt.extra, window_s)
    share = pipelines.table.problem.runtime.blocking_share
    if share:
        window_s = (1 - share) * window_s + share * _blocking_s(pipelines, stage_s)
    through_s = stage_s.sum(axis=-1) + 2 * pipelines.transfer_s.sum(axis=-1)
    reckoned: Floats = (pipelines.count - 1) * window_s + through_s + _once_s(pipelines, dealt.layers)
    return reckoned


def _once_s(pipelines: Pipelines, layers: Integers) -> Floats:
    sync_s = layers * pipelines.sync_s + pipelines.extra_sync_s
    update_s = layers * pipelines.update_s + pipelines.extra_update_s
    is_stage = pipelines.is_stage
    reckoned: Floats = np.where(is_stage, sync_s, 0.0).max(axis=-1) + np.where(is_stage, update_s, 0.0).max(axis=-1)
    return reckoned


def _short_windows_s(pipelines: Pipelines, stage_s: Floats, extra: Integers) -> Floats:
    longest_s: Floats = stage_s.max(axis=-1)
    if stage_s.shape[-1] == 1:
        return longest_s
    transfer_s = pipelines.transfer_s
    pair_s = (stage_s[..., :-1] + stage_s[..., 1:] + 2 * transfer_s) / (2 + extra)
    pair_s = np.where(pipelines.is_stage[:, 1:], pair_s, 0.0)
    longer_s: Floats = np.maximum(np.maximum(longest_s, pair_s.max(axis=-1)), transfer_s.max(axis=-1))
    return longer_s


def _windows_s(pipelines: Pipelines, stage_s: Floats, extra: Integers, least_s: Floats) -> Floats:
    """Return the largest ratio over all windows of stages, by Newton's method from below.

    At a period that is too short some window has more work than time; the one with the most gives the next period.
    """
    stages = stage_s.shape[1]
    period_s = least_s
    both_ways_s = np.zeros_like(stage_s)
    both_ways_s[:, :-1] = 2 * pipelines.transfer_s
    held = np.cumsum(pipelines.is_stage, axis=1)
    held[:, 1:] += np.cumsum(extra, axis=1)
    until_s = np.cumsum(stage_s + both_ways_s, axis=1) - both_ways_s
    before_s = until_s - stage_s
    rows = np.arange(len(stage_s))
    index = np.arange(stages)
    for _ in range(MOST_STEPS):
        starts = before_s - (held - 1) * period_s[:, None]
        lowest = np.minimum.accumulate(starts, axis=1)
        over_s = np.where(pipelines.is_stage, until_s - held * period_s[:, None] - lowest, -np.inf)
        last = over_s.argmax(axis=1)
        most_s = over_s[rows, last]
        if (most_s <= PRECISION * period_s).all():
            break
        first = np.maximum.accumulate(np.where(starts == lowest, index, 0), axis=1)[rows, last]
        width = held[rows, last] - held[rows, first] + 1
        period_s = period_s + np.maximum(most_s, 0.0) / width
    return period_s


def _blocking_s(pipelines: Pipelines, stage_s: Floats) -> Floats:
    sides_s = np.zeros_like(stage_s)
    sides_s[..., :-1] += pipelines.transfer_s
    sides_s[..., 1:] += pipelines.transfer_s
    reckoned: Floats = (stage_s + 2 * sides_s).max(axis=-1)
    return reckoned
