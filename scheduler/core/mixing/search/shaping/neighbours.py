"""Shapes that differ from a shape in one thing."""

from dataclasses import replace

import numpy as np

from scheduler.core.mixing.search.shaping.pairs import Pairs
from scheduler.core.mixing.search.shaping.shapes import Shapes, joined, tidied
from scheduler.core.mixing.search.shaping.table import Integers, Table


def neighbours_of(table: Table, pairs: Pairs, shapes: Shapes, within: int) -> Shapes:
    """Return what differs in a pool's degree or stages, in two pools' places, in warm-ups, or in the cut of the batch.

    Of the cuts only those `within` the best bounds: so many of them.
    """
    parts = [_staged(table, pairs, shapes), _recut(pairs, shapes, within)]
    if shapes.pool.shape[1] > 1:
        parts += [_swapped(shapes), _staged(table, pairs, shapes, at_front=True)]
    if table.problem.runtime.may_warm_up_more:
        parts += [replace(shapes, warms=np.full(len(shapes), warms)) for warms in range(3)]
    return tidied(joined(parts))


def _staged(table: Table, pairs: Pairs, shapes: Shapes, *, at_front: bool = False) -> Shapes:
    """Every degree and some numbers of stages for the pool at each position; at the front, for pools without stages."""
    degrees = len(table.degrees)
    choices = 8
    rows, positions = shapes.pool.shape
    row, position, degree, choice = np.indices((rows, positions, degrees, choices)).reshape(4, -1)
    if at_front:
        idle = shapes.stages[row, position] == 0
        row, position, degree, choice = row[idle], position[idle], degree[idle], choice[idle]
    most = pairs.most_stages[shapes.pair[row], shapes.pool[row, position], degree]
    now = shapes.stages[row, position]
    were, are = np.array(table.degrees)[shapes.degree[row, position]], np.array(table.degrees)[degree]
    as_many = now * were // are
    wished = np.choose(choice, (np.zeros_like(now), now, now - 1, now + 1, as_many, most, most // 2, np.ones_like(now)))
    real = (wished <= most) & (wished >= 0) & ((wished > 0) | (degree == 0))
    row, position, degree, wished = row[real], position[real], degree[real], wished[real]
    changed = shapes.take(row)
    numbers = np.arange(len(row))
    changed.degree[numbers, position] = degree
    changed.stages[numbers, position] = wished
    if at_front:
        changed = _moved_to_front(changed, position)
    return changed


def _moved_to_front(shapes: Shapes, position: Integers) -> Shapes:
    places = np.arange(shapes.pool.shape[1])[None, :].repeat(len(position), axis=0)
    order = np.argsort(np.where(places == position[:, None], -1, places), axis=1)
    return replace(
        shapes, **{name: np.take_along_axis(getattr(shapes, name), order, 1) for name in ("pool", "degree", "stages")}
    )


def _swapped(shapes: Shapes) -> Shapes:
    """Every two positions that have stages, the one in place of the other."""
    rows, positions = shapes.pool.shape
    first, second = np.triu_indices(positions, 1)
    row, pair = np.indices((rows, len(first))).reshape(2, -1)
    real = shapes.stages[row, second[pair]] > 0
    row, left, right = row[real], first[pair[real]], second[pair[real]]
    swapped = shapes.take(row)
    numbers = np.arange(len(row))
    for values in (swapped.pool, swapped.degree, swapped.stages):
        values[numbers, left], values[numbers, right] = values[numbers, right], values[numbers, left].copy()
    return swapped


def _recut(pairs: Pairs, shapes: Shapes, within: int) -> Shapes:
    """Every pair `within` the best bounds: with all stages there can be, as many as now, and as many devices."""
    row, pair = np.indices((len(shapes), within)).reshape(2, -1)
    changed = shapes.take(row)
    most = pairs.most_stages[pair[:, None], changed.pool, changed.degree]
    used = changed.stages > 0
    alike = changed.stages * pairs.replicas[changed.pair][:, None] // pairs.replicas[pair][:, None]
    parts = [
        replace(changed, pair=pair, stages=np.where(used, np.minimum(stages, most), 0))
        for stages in (most, changed.stages, np.maximum(alike, 1))
    ]
    return joined(parts)
