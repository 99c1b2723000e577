"""From first shapes to the best: look closer at the likeliest, then at their neighbours, until none is better."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from scheduler.core.mixing.search.bottleneck import bottleneck_of
from scheduler.core.mixing.search.building import Layout, StageLayout
from scheduler.core.mixing.search.layering.dealing import dealt
from scheduler.core.mixing.search.layering.pipelines import Pipelines, pipelines_of
from scheduler.core.mixing.search.layering.polishing import polished, recomputing
from scheduler.core.mixing.search.layering.scoring import Dealt
from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.estimating import estimated_s
from scheduler.core.mixing.search.shaping.every_shape import every_shape
from scheduler.core.mixing.search.shaping.neighbours import neighbours_of
from scheduler.core.mixing.search.shaping.shapes import (
    NO_KEYS,
    WARM_UPS_ALL,
    WARM_UPS_NONE,
    Shapes,
    allowed,
    first_shapes,
    joined,
    once_each,
)
from scheduler.core.mixing.search.shaping.table import Floats, Integers, Table


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is looked at."""

    cuts: int = 16
    """Ways of cutting the batch, at first."""
    first: int = 48
    """Shapes that are looked at closely at first."""
    each: int = 48
    """Of the neighbours, each round."""
    rounds: int = 5
    parents: int = 4
    """Whose neighbours are looked at, each round."""
    polished: int = 3
    exact: int = 8
    """Shapes that are found exactly, where none that was drawn fits."""
    slack: float = 1.3
    """An estimate that is longer than the best step by more is not looked at: estimates are seldom so much too long."""


QUICK = Effort(each=24, rounds=2, slack=1.03)
WIDE = Effort()
THOROUGH = Effort(cuts=24, first=96, each=96, rounds=8, polished=16, exact=24)
DEEP = Effort(cuts=24, first=192, each=192, rounds=12, parents=8, polished=16, exact=24)
SMALL = 64
"""Layers times pools: where arrays are small, looking at more costs little."""
FEW_POOLS = 2
"""Of so few pools all orders are there from the start, and rounds find little more."""
FEW_CUTS = 4
"""Where the batch can be cut in so few ways, as a prime can, shapes alone differ, and good ones are far apart."""


def effort_for(table: Table, cuts: Cuts) -> Effort:
    """Return how much to look at."""
    if table.layers * len(table.pools) <= SMALL:
        return THOROUGH
    if len(cuts.count) <= FEW_CUTS:
        return DEEP
    return QUICK if len(table.pools) <= FEW_POOLS else WIDE


def _is_small_and_limited(table: Table) -> bool:
    constraints = table.problem.constraints
    is_limited = constraints.most_chips is not None or constraints.most_compute is not None
    return is_limited and table.layers * len(table.pools) <= SMALL


@dataclass(frozen=True, slots=True)
class _Looked:
    """The shapes that were looked at closely and fit, the best first."""

    shapes: Shapes
    took_s: Floats
    layers: Integers
    """C, L: of each stage, then zeros."""
    extra: Integers
    """C, L: extra warm-ups of each boundary, then zeros."""
    keys: Integers
    """Of all that were looked at, those too that do not fit."""

    @property
    def best_s(self) -> float:
        """The shortest step so far."""
        return float(self.took_s[0]) if len(self.took_s) else np.inf


def explored(
    table: Table, cuts: Cuts, known: Shapes | None = None, *, effort: Effort | None = None
) -> list[tuple[Layout, float]]:
    """Return layouts and their steps by formula in seconds, the best first; nothing where none fits."""
    if not len(cuts.count):
        return []
    effort = effort or effort_for(table, cuts)
    every = every_shape(table, cuts) if _is_small_and_limited(table) else None
    first = first_shapes(table, cuts, effort.cuts) if every is None else every
    if table.problem.runtime.may_warm_up_more:
        first = joined([first, first.warmed(WARM_UPS_ALL)])
    looked = _looked_at(table, cuts, first, effort.first, np.inf)
    if known is not None:
        looked = _further(table, cuts, looked, known, most=effort.first)
    if every is not None and not len(looked.shapes):
        looked = _further(table, cuts, looked, every, most=len(every))
    if not len(looked.shapes):
        looked = _further(table, cuts, looked, _tight(table, cuts, first, effort.exact), most=effort.first)
    parents_of = NO_KEYS
    for _ in range(effort.rounds):
        parents = looked.shapes.take(~np.isin(looked.shapes.keys(), parents_of)).take(slice(effort.parents))
        if not len(parents):
            break
        parents_of = np.concatenate((parents_of, parents.keys()))
        within = int(np.searchsorted(cuts.bound_s, looked.best_s))
        near = neighbours_of(table, cuts, parents, within)
        looked = _further(table, cuts, looked, near, most=effort.each, slack=effort.slack)
    return _finished(table, cuts, looked, effort.polished)


def _tight(table: Table, cuts: Cuts, none: Shapes, most: int) -> Shapes:
    """Return a shape for each of so many cuts that fit, those of the best bounds: found exactly, where drawing did not.

    A larger micro-batch takes no less memory than a smaller one, since a stage holds `b min(m, held)` sequences. So
    where one of a single sequence does not fit, no other with as many replicas is tried.
    """
    smallest = {d: cut for cut, d in enumerate(cuts.data_parallel.tolist()) if cuts.micro_batch[cut] == 0}
    exact = cache(lambda cut: bottleneck_of(table, cuts, cut))
    shapes = [none.take(slice(0))]
    for cut, d in enumerate(cuts.data_parallel.tolist()):
        found = None if exact(smallest[d]) is None else exact(cut)
        if found is not None:
            shapes.append(allowed(table, cuts, found.shape))
        if sum(map(len, shapes)) >= most:
            break
    return joined(shapes)


def _further(table: Table, cuts: Cuts, looked: _Looked, shapes: Shapes, *, most: int, slack: float = np.inf) -> _Looked:
    """Look at some more shapes."""
    new = _looked_at(table, cuts, once_each(shapes, looked.keys), most, looked.best_s * slack)
    return _sorted(
        _Looked(
            shapes=joined([looked.shapes, new.shapes]),
            took_s=np.concatenate((looked.took_s, new.took_s)),
            layers=np.concatenate((looked.layers, new.layers)),
            extra=np.concatenate((looked.extra, new.extra)),
            keys=np.concatenate((looked.keys, new.keys)),
        )
    )


def _looked_at(table: Table, cuts: Cuts, shapes: Shapes, most: int, below_s: float) -> _Looked:
    """Deal out the layers of the likeliest shapes, so many at most."""
    shapes = allowed(table, cuts, shapes)
    likely_s = estimated_s(table, cuts, shapes) if len(shapes) else np.zeros(0)
    order = np.argsort(likely_s, kind="stable")[:most]
    shapes = shapes.take(order[np.isfinite(likely_s[order]) & (likely_s[order] <= below_s)])
    layers = np.zeros((len(shapes), table.layers), dtype=np.int64)
    extra = np.zeros_like(layers)
    took_s = np.zeros(len(shapes))
    if len(shapes):
        best, took_s = dealt(pipelines_of(table, cuts, shapes))
        layers[:, : best.layers.shape[1]], extra[:, : best.extra.shape[1]] = best.layers, best.extra
    return _sorted(_Looked(shapes, took_s, layers, extra, shapes.keys()))


def _sorted(looked: _Looked) -> _Looked:
    """Put the best first, and leave out what does not fit."""
    order = np.lexsort((looked.shapes.keys(), looked.took_s))
    order = order[np.isfinite(looked.took_s[order])]
    shapes, took_s = looked.shapes.take(order), looked.took_s[order]
    return _Looked(shapes, took_s, looked.layers[order], looked.extra[order], looked.keys)


def _finished(table: Table, cuts: Cuts, looked: _Looked, most: int) -> list[tuple[Layout, float]]:
    """Polish the best shapes that differ in more than warm-ups."""
    if not len(looked.shapes):
        return []
    alike = looked.shapes.warmed(WARM_UPS_NONE).keys()
    _, rows = np.unique(alike, return_index=True)
    rows = np.sort(rows)[:most]
    pipelines = pipelines_of(table, cuts, looked.shapes.take(rows))
    deep = pipelines.is_stage.shape[1]
    layers, extra = looked.layers[rows, :deep], looked.extra[rows, : deep - 1]
    begun = Dealt(layers, recomputing(pipelines, layers, extra), extra)
    best, took_s = polished(pipelines, begun, looked.took_s[rows])
    order = np.argsort(took_s, kind="stable")
    return [(_layout(table, cuts, pipelines, best, int(row)), float(took_s[row])) for row in order]


def _layout(table: Table, cuts: Cuts, pipelines: Pipelines, best: Dealt, row: int) -> Layout:
    shapes, pool = pipelines.shapes, pipelines.pool
    cut = shapes.cut[row]
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
        int(cuts.replicas[cut]),
        table.micro_batches[cuts.micro_batch[cut]],
        stages,
        tuple(int(extra) for extra in best.extra[row, : len(stages) - 1]),
    )
