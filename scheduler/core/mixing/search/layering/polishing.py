"""Improve a few pipelines: one layer to another stage, one warm-up more or fewer, as long as it helps."""

from dataclasses import dataclass

import numpy as np

from scheduler.core.mixing.search.layering.pipelines import Pipelines
from scheduler.core.mixing.search.layering.scoring import Dealt, busy_s, fits_memory, in_flight, step_s
from scheduler.core.mixing.search.shaping.table import Flags, Floats, Integers

MOST_ROUNDS = 8
ALL_PAIRS_UP_TO = 8
"""Stages: in longer pipelines layers move only from those that hold up the step, and from both ends."""
GAIN = 1e-6
"""Relative: what helps less does not count."""


@dataclass(frozen=True, slots=True)
class _Moves:
    row: Integers
    """Which pipeline."""
    layers: Integers
    extra: Integers


def polished(pipelines: Pipelines, dealt: Dealt, took_s: Floats) -> tuple[Dealt, Floats]:
    """Return a dealing for each pipeline that no single move makes better, and how long a step takes."""
    layers, extra, took_s = dealt.layers.copy(), dealt.extra.copy(), took_s.copy()
    open_rows = np.flatnonzero(np.isfinite(took_s))
    for _ in range(MOST_ROUNDS):
        if not len(open_rows):
            break
        moves = _moves(pipelines, Dealt(layers, recomputing(pipelines, layers, extra), extra), open_rows)
        tried = pipelines.take(moves.row)
        attempt = Dealt(moves.layers, recomputing(tried, moves.layers, moves.extra), moves.extra)
        moved_s = _better_s(tried, attempt, took_s[moves.row] * (1 - GAIN))
        better = []
        for row in open_rows:
            here = np.flatnonzero(moves.row == row)
            best = here[moved_s[here].argmin()] if len(here) else -1
            if best >= 0 and np.isfinite(moved_s[best]):
                layers[row], extra[row], took_s[row] = moves.layers[best], moves.extra[best], moved_s[best]
                better.append(row)
        open_rows = np.array(better, dtype=np.int64)
    return Dealt(layers, recomputing(pipelines, layers, extra), extra), took_s


def _better_s(tried: Pipelines, attempt: Dealt, below_s: Floats) -> Floats:
    """Return the steps of those that fit and are shorter than so much, else infinite. A rough step is never longer."""
    moved_s = np.full(len(below_s), np.inf)
    likely = np.flatnonzero((step_s(tried, attempt, roughly=True) < below_s) & fits_memory(tried, attempt))
    if len(likely):
        exact_s = step_s(tried.take(likely), attempt.take(likely))
        moved_s[likely] = np.where(exact_s < below_s[likely], exact_s, np.inf)
    return moved_s


def recomputing(pipelines: Pipelines, layers: Integers, extra: Integers) -> Flags:
    """Return which stages must compute activations anew for want of memory."""
    held = in_flight(pipelines, extra)
    kept_bytes = layers * (pipelines.layer_bytes + pipelines.activation_bytes[0] * held) + pipelines.ends_bytes * held
    said: Flags = pipelines.is_stage & (kept_bytes > pipelines.room_bytes)
    return said


def _moves(pipelines: Pipelines, dealt: Dealt, rows: Integers) -> _Moves:
    parts: list[_Moves] = []
    took_s = np.where(pipelines.is_stage, busy_s(pipelines, dealt.layers, dealt.recomputes), 0.0)
    for row in rows:
        deep = int(pipelines.is_stage[row].sum())
        givers = _givers(pipelines, dealt, int(row), took_s[row])
        giver, taker = (grid.ravel() for grid in np.meshgrid(givers, np.arange(deep), indexing="ij"))
        real = giver != taker
        giver, taker = giver[real], taker[real]
        layers = np.repeat(dealt.layers[row][None], len(giver), axis=0)
        layers[np.arange(len(giver)), giver] -= 1
        layers[np.arange(len(giver)), taker] += 1
        parts.append(_Moves(np.full(len(giver), row), layers, np.repeat(dealt.extra[row][None], len(giver), axis=0)))
        if deep > 1 and pipelines.table.problem.runtime.may_warm_up_more:
            warmer = _warmer(pipelines, dealt, int(row), deep)
            parts.append(warmer)
            if deep <= ALL_PAIRS_UP_TO:  # both at once
                moved, warmed = np.indices((len(layers), len(warmer.extra))).reshape(2, -1)
                parts.append(_Moves(np.full(len(moved), row), layers[moved], warmer.extra[warmed]))
    return _Moves(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "layers", "extra")))


def _givers(pipelines: Pipelines, dealt: Dealt, row: int, took_s: Floats) -> Integers:
    """Return the stages that may give a layer away."""
    layers = dealt.layers[row]
    able = np.flatnonzero(layers > 1)
    if len(took_s) <= ALL_PAIRS_UP_TO or not len(able):
        return able
    sync_s = layers * pipelines.sync_s[row] + pipelines.extra_sync_s[row]
    each_s = np.where(layers > 1, took_s / layers.clip(min=1), 0.0)
    likely = {int(able[figure[able].argmax()]) for figure in (took_s, sync_s, each_s)}
    likely |= {int(able[0]), int(able[-1])}
    return np.array(sorted(likely), dtype=np.int64)


def _warmer(pipelines: Pipelines, dealt: Dealt, row: int, deep: int) -> _Moves:
    """Return one warm-up more and one fewer at each boundary, none at all, and one more at all."""
    extra = dealt.extra[row]
    boundaries = np.arange(deep - 1)
    tried = np.repeat(extra[None], 2 * (deep - 1) + 2, axis=0)
    tried[boundaries, boundaries] += 1
    tried[boundaries + deep - 1, boundaries] -= 1
    tried[-2] = 0
    tried[-1, : deep - 1] += 1
    tried = tried[(tried >= 0).all(axis=1) & (tried <= pipelines.count[row]).all(axis=1)]
    return _Moves(np.full(len(tried), row), np.repeat(dealt.layers[row][None], len(tried), axis=0), tried)
