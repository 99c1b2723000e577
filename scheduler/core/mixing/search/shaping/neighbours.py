"""Shapes that differ from a shape in one thing."""

from functools import lru_cache

import numpy as np

from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.shapes import (
    WARM_UPS_ALL,
    WARM_UPS_BETWEEN,
    WARM_UPS_NONE,
    Shapes,
    joined,
    tidied,
)
from scheduler.core.mixing.search.shaping.table import Integers, Table


def neighbours_of(table: Table, cuts: Cuts, shapes: Shapes, within: int) -> Shapes:
    """Return what differs in a pool's degree or stages, in two pools' places, in warm-ups, or in the cut of the batch.

    Of the cuts only those `within` the best bounds: so many of them.
    """
    staged, position = _staged(table, cuts, shapes)
    parts = [staged, _recut(cuts, shapes, within)]
    if shapes.kinds > 1:
        parts += [_swapped(shapes), _moved_to_front(staged, position)]
    if table.problem.runtime.may_warm_up_more:
        parts += [shapes.warmed(warm_ups) for warm_ups in (WARM_UPS_NONE, WARM_UPS_BETWEEN, WARM_UPS_ALL)]
    return tidied(joined(parts))


def _staged(table: Table, cuts: Cuts, shapes: Shapes) -> tuple[Shapes, Integers]:
    """Every degree and some numbers of stages for the pool at each position; and where that is, -1 if in its place.

    A pool that had no stages may also have its place elsewhere than behind all others.
    """
    degrees = len(table.degrees)
    choices = 8
    rows, positions = shapes.pool.shape
    row, position, degree, choice = _grid(rows, positions, degrees, choices)
    now = shapes.stages[row, position]
    most = cuts.most_stages[shapes.cut[row], shapes.pool[row, position], degree]
    sizes = np.array(table.degrees)
    as_many = now * sizes[shapes.degree[row, position]] // sizes[degree]
    wished = np.choose(choice, (np.zeros_like(now), now, now - 1, now + 1, as_many, most, most // 2, np.ones_like(now)))
    real = (wished <= most) & (wished >= 0) & ((wished > 0) | (degree == 0))
    row, position, degree, wished, was = row[real], position[real], degree[real], wished[real], now[real]
    changed = shapes.take(row)
    numbers = np.arange(len(row))
    changed.degree[numbers, position] = degree
    changed.stages[numbers, position] = wished
    return changed, np.where(was == 0, position, -1)


@lru_cache(maxsize=64)
def _grid(*sizes: int) -> tuple[Integers, ...]:
    """Return the indices of all places of an array of these sizes, an array for each axis."""
    return tuple(np.indices(sizes).reshape(len(sizes), -1))


def _moved_to_front(shapes: Shapes, position: Integers) -> Shapes:
    shapes, position = shapes.take(position >= 0), position[position >= 0]
    places = np.arange(shapes.kinds)
    return shapes.placed(np.argsort(np.where(places == position[:, None], -1, places), axis=1))


def _swapped(shapes: Shapes) -> Shapes:
    """Every two positions that have stages, the one in place of the other."""
    rows, positions = shapes.pool.shape
    first, second = np.triu_indices(positions, 1)
    row, two = _grid(rows, len(first))
    real = shapes.stages[row, second[two]] > 0
    row, left, right = row[real], first[two[real]], second[two[real]]
    swapped = shapes.take(row)
    numbers = np.arange(len(row))
    for values in (swapped.pool, swapped.degree, swapped.stages):
        values[numbers, left], values[numbers, right] = values[numbers, right], values[numbers, left].copy()
    return swapped


def _recut(cuts: Cuts, shapes: Shapes, within: int) -> Shapes:
    """Every cut `within` the best bounds: with all stages there can be, as many as now, and as many devices."""
    row, cut = _grid(len(shapes), within)
    changed = shapes.take(row)
    most = cuts.most_stages[cut[:, None], changed.pool, changed.degree]
    used = changed.stages > 0
    alike = changed.stages * cuts.replicas[changed.cut][:, None] // cuts.replicas[cut][:, None]
    parts = [
        changed.at(cut, np.where(used, np.minimum(stages, most), 0))
        for stages in (most, changed.stages, np.maximum(alike, 1))
    ]
    return joined(parts)
