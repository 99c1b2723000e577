"""From first shapes to the best: look closer at the likeliest, then at their neighbours, until none is better."""

from dataclasses import dataclass, field

import numpy as np

from scheduler.core.mixing.search.bottleneck import bottleneck_of
from scheduler.core.mixing.search.building import Layout, StageLayout
from scheduler.core.mixing.search.layering.dealing import dealt
from scheduler.core.mixing.search.layering.pipelines import Pipelines, pipelines_of
from scheduler.core.mixing.search.layering.polishing import polished
from scheduler.core.mixing.search.layering.scoring import Dealt
from scheduler.core.mixing.search.shaping.estimating import estimated_s
from scheduler.core.mixing.search.shaping.neighbours import neighbours_of
from scheduler.core.mixing.search.shaping.pairs import Pairs
from scheduler.core.mixing.search.shaping.shapes import Shapes, allowed, first_shapes, joined, once_each
from scheduler.core.mixing.search.shaping.table import Floats, Table


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is looked at."""

    pairs: int = 8
    """Ways of cutting the batch, at first."""
    first: int = 12
    """Shapes that are looked at closely at first."""
    each: int = 12
    """Of the neighbours, each round."""
    rounds: int = 3
    parents: int = 2
    """Whose neighbours are looked at, each round."""
    patience: int = 3
    """Rounds that may bring nothing before the last one."""
    polished: int = 3


@dataclass(slots=True)
class _Elite:
    """The shapes that were looked at closely, the best first."""

    shapes: Shapes
    took_s: Floats
    was_parent: set[int] = field(default_factory=set)


WORTHWHILE = 0.003
"""Relative: a round that makes the best step shorter by less brings nothing."""
SLACK = 1.03
"""An estimate that is longer than the best step by more is not looked at: estimates are seldom too long."""


def explored(table: Table, pairs: Pairs, effort: Effort, known: Shapes | None) -> list[tuple[Layout, float]]:
    """Return layouts and their steps by formula in seconds, the best first; nothing where none fits."""
    first = first_shapes(table, pairs, effort.pairs)
    elite = _looked_at(table, pairs, allowed(table, pairs, first), effort.first, np.inf)
    if known is not None:
        known = once_each(allowed(table, pairs, known), first.keys())
        elite = _merged(elite, _looked_at(table, pairs, known, effort.first, np.inf))
    if not len(elite.shapes):
        elite = _looked_at(table, pairs, allowed(table, pairs, _tight(table, pairs, first)), effort.first, np.inf)
    seen = first.keys()
    patience = effort.patience
    for _ in range(effort.rounds):
        keys = elite.shapes.keys().tolist()
        parents = [row for row, key in enumerate(keys) if key not in elite.was_parent][: effort.parents]
        if not parents:
            break
        elite.was_parent |= {keys[row] for row in parents}
        best_s = elite.took_s[0]
        within = int(np.searchsorted(pairs.bound_s, best_s))
        near = once_each(neighbours_of(table, pairs, elite.shapes.take(np.array(parents)), within), seen)
        seen = np.concatenate((seen, near.keys()))
        near = allowed(table, pairs, near)
        elite = _merged(elite, _looked_at(table, pairs, near, effort.each, best_s * SLACK))
        patience -= elite.took_s[0] > best_s * (1 - WORTHWHILE)
        if patience < 0:
            break
    return _finished(table, pairs, elite, effort.polished)


def _tight(table: Table, pairs: Pairs, none: Shapes) -> Shapes:
    """Return a shape for every way of cutting the batch that fits at all: found exactly, where drawing some did not."""
    found = [bottleneck_of(table, pairs, pair) for pair in range(len(pairs.count))]
    return joined([none.take(np.zeros(0, dtype=np.int64)), *(each.shape for each in found if each is not None)])


def _looked_at(table: Table, pairs: Pairs, shapes: Shapes, most: int, below_s: float) -> _Elite:
    """Deal out the layers of the likeliest shapes, so many at most."""
    if not len(shapes):
        return _Elite(shapes, np.zeros(0))
    likely_s = estimated_s(table, pairs, shapes)
    order = np.argsort(likely_s, kind="stable")[:most]
    shapes = shapes.take(order[likely_s[order] <= min(below_s, 1e300)])
    if not len(shapes):
        return _Elite(shapes, np.zeros(0))
    _, took_s = dealt(pipelines_of(table, pairs, shapes))
    return _sorted(shapes, took_s)


def _sorted(shapes: Shapes, took_s: Floats) -> _Elite:
    order = np.lexsort((shapes.keys(), took_s))
    order = order[np.isfinite(took_s[order])]
    return _Elite(shapes.take(order), took_s[order])


def _merged(one: _Elite, other: _Elite) -> _Elite:
    merged = _sorted(joined([one.shapes, other.shapes]), np.concatenate((one.took_s, other.took_s)))
    merged.was_parent = one.was_parent
    return merged


def _finished(table: Table, pairs: Pairs, elite: _Elite, most: int) -> list[tuple[Layout, float]]:
    if not len(elite.shapes):
        return []
    shapes = elite.shapes.take(np.arange(min(most, len(elite.shapes))))
    pipelines = pipelines_of(table, pairs, shapes)
    best, took_s = polished(pipelines, *dealt(pipelines))
    order = np.argsort(took_s, kind="stable")
    found: dict[Layout, float] = {}
    for row in order:
        found.setdefault(_layout(table, pairs, pipelines, best, int(row)), float(took_s[row]))
    return list(found.items())


def _layout(table: Table, pairs: Pairs, pipelines: Pipelines, best: Dealt, row: int) -> Layout:
    shapes, pool = pipelines.shapes, pipelines.pool
    pair = shapes.pair[row]
    degrees = np.repeat(shapes.degree[row], shapes.stages[row])
    stages = tuple(
        StageLayout(
            table.pools[pool[row, stage]].name,
            int(best.layers[row, stage]),
            table.degrees[degree],
            bool(best.recomputes[row, stage]),
        )
        for stage, degree in enumerate(degrees)
    )
    return Layout(
        int(pairs.replicas[pair]),
        table.micro_batches[pairs.micro_batch[pair]],
        stages,
        tuple(int(extra) for extra in best.extra[row, : len(stages) - 1]),
    )
