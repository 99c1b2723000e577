"""Deal out the layers of many pipelines at once, so that a step is short and every stage's memory suffices."""

import numpy as np

from scheduler.core.mixing.search.layering.pipelines import Pipelines
from scheduler.core.mixing.search.layering.scoring import Dealt, in_flight, step_s
from scheduler.core.mixing.search.shaping.shapes import WARM_UPS_ALL, WARM_UPS_BETWEEN
from scheduler.core.mixing.search.shaping.table import Flags, Floats, Integers

PARTS, NARROWINGS = 12, 2
"""Periods that are tried at once, and how often."""
CAPS = (
    *((1.0, np.inf), (1.06, np.inf), (1.25, np.inf), (3.0, np.inf)),
    *((1.25, 1.15), (3.0, 1.15), (3.0, 1.5)),
)
"""Tried for each pipeline: times the shortest period that takes all layers, and times the shortest ending.

Longer ones let faster stages have more layers: with few micro-batches filling a pipeline counts as its period does.
"""


def dealt(pipelines: Pipelines) -> tuple[Dealt, Floats]:
    """Return the best dealing found for each pipeline, and how long a step takes; infinite where none fits."""
    extra = _extra_warm_ups(pipelines)
    held = in_flight(pipelines, extra)
    room = _room(pipelines, held)
    shortest_s = _shortest_s(pipelines, room)
    chosen, layers = _best_cap(pipelines, room, extra, shortest_s)
    best = Dealt(layers, layers > room[0], extra)
    return best, np.where(chosen, step_s(pipelines, best), np.inf)


def _extra_warm_ups(pipelines: Pipelines) -> Integers:
    """Return `ceil(2 d / T)` forwards for each boundary that is to be warmed up, T the shortest period there can be."""
    is_stage, warm_ups = pipelines.is_stage, pipelines.shapes.warm_ups[:, None]
    shape = (len(is_stage), is_stage.shape[1] - 1)
    if not warm_ups.any():
        return np.zeros(shape, dtype=np.int64)
    period_s = _split_s(is_stage, pipelines.busy_s[0], pipelines.extra_s, pipelines.table.layers)
    wished = np.ceil(2 * pipelines.transfer_s / period_s[:, None] - 1e-6).clip(0, pipelines.count[:, None])
    is_between = pipelines.position[:, 1:] != pipelines.position[:, :-1]
    is_warmed = is_stage[:, 1:] & ((warm_ups == WARM_UPS_ALL) | ((warm_ups == WARM_UPS_BETWEEN) & is_between))
    return np.where(is_warmed, wished, 0).astype(np.int64)


def _split_s(is_stage: Flags, each_s: Floats, extra_s: Floats, layers: int) -> Floats:
    """Return the shortest time in which all stages do all layers, if layers could be split."""
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.where(is_stage, 1 / each_s, 0.0)
        work = layers + np.where(is_stage, extra_s / each_s, 0.0).sum(axis=1)
        reckoned: Floats = np.maximum(work / speed.sum(axis=1), np.where(is_stage, each_s + extra_s, 0.0).max(axis=1))
        return reckoned


def _room(pipelines: Pipelines, held: Integers) -> Floats:
    """Return 2, C, P: layers that each stage has memory for, keeping activations and without."""
    free_bytes = pipelines.room_bytes - pipelines.ends_bytes * held
    each_bytes = pipelines.layer_bytes + pipelines.activation_bytes * held
    return np.where(pipelines.is_stage, np.floor(free_bytes / each_bytes), 0.0).clip(min=0.0)


def _most(pipelines: Pipelines, room: Floats, period_s: Floats) -> Floats:
    """Return the layers that each stage can have within a period, or in each of several: an axis more."""
    spare_s = (period_s * (1 + 1e-9))[..., None] - pipelines.extra_s
    keeping = np.minimum(np.floor(spare_s / pipelines.busy_s[0]), room[0])
    reckoned: Floats = np.maximum(keeping, np.minimum(np.floor(spare_s / pipelines.busy_s[1]), room[1]))
    return reckoned


def _shortest_s(pipelines: Pipelines, room: Floats) -> Floats:
    """Return about the shortest period that all layers fit into; infinite where memory does not suffice.

    Rounding down costs less than one layer a stage: the shortest is at most a layer of the slowest stage beyond what
    it would be if layers could be split, as long as memory does not count.
    """
    layers, is_stage = pipelines.table.layers, pipelines.is_stage
    slowest_s = np.where(is_stage, pipelines.busy_s, 0.0).max(axis=(0, 2))
    low_s = _split_s(is_stage, pipelines.busy_s[0], pipelines.extra_s, layers)
    high_s = low_s + slowest_s
    is_short = ~_suffices(_most(pipelines, room, high_s), is_stage, layers)
    longest_s = layers * slowest_s + pipelines.extra_s.max(axis=1)
    low_s, high_s = np.where(is_short, high_s, low_s), np.where(is_short, longest_s, high_s)
    parts, rows = np.arange(1, PARTS + 1)[:, None] / PARTS, np.arange(len(is_stage))
    for _ in range(NARROWINGS):
        tried_s = low_s + (high_s - low_s) * parts
        suffices = _suffices(_most(pipelines, room[:, None], tried_s), is_stage, layers)
        suffices[-1] = True
        first = suffices.argmax(axis=0)
        low_s, high_s = np.where(first > 0, tried_s[first - 1, rows], low_s), tried_s[first, rows]
    return np.where(_suffices(_most(pipelines, room, high_s), is_stage, layers), high_s, np.inf)


def _suffices(most: Floats, is_stage: Flags, layers: int) -> Flags:
    said: Flags = (most.sum(axis=-1) >= layers) & ((most >= 1) | ~is_stage).all(axis=-1)
    return said


def _best_cap(pipelines: Pipelines, room: Floats, extra: Integers, shortest_s: Floats) -> tuple[Flags, Integers]:
    """Return which pipelines have a dealing, and the layers by the best of all caps."""
    layers, is_stage = pipelines.table.layers, pipelines.is_stage
    cap, once_cap = (np.array(caps)[:, None] for caps in zip(*CAPS, strict=True))
    once_s, extra_once_s = pipelines.sync_s + pipelines.update_s, pipelines.extra_sync_s + pipelines.extra_update_s
    quickest_s = _split_s(is_stage, once_s, extra_once_s, layers)
    most = _most(pipelines, room[:, None], np.where(np.isinf(shortest_s), 0.0, shortest_s) * cap)
    with np.errstate(invalid="ignore"):
        most = np.minimum(most, np.floor(((quickest_s * once_cap)[:, :, None] - extra_once_s) / once_s))
    order = np.argsort(np.where(is_stage, pipelines.busy_s[0], np.inf), axis=1, kind="stable")
    tried = _filled(most, order, is_stage, layers)
    attempt = Dealt(tried, tried > room[0], extra)
    took_s = np.where(_suffices(most, is_stage, layers), step_s(pipelines, attempt, roughly=True), np.inf)
    best, rows = took_s.argmin(axis=0), np.arange(len(is_stage))
    return np.isfinite(took_s[best, rows]), tried[best, rows]


def _filled(most: Floats, order: Integers, is_stage: Flags, layers: int) -> Integers:
    """Give every stage a layer and the rest to the first in the order, each up to its most."""
    order = np.broadcast_to(order, most.shape)
    further = np.take_along_axis(np.where(is_stage, most - 1, 0.0).clip(min=0.0), order, -1)
    left = layers - is_stage.sum(axis=1)[:, None] - (np.cumsum(further, axis=-1) - further)
    given = np.zeros_like(most)
    np.put_along_axis(given, order, np.minimum(left.clip(min=0.0), further), -1)
    return (given + is_stage).astype(np.int64)
