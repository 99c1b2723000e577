"""Where a search begins that knows a plan."""

import numpy as np

from scheduler.core.mixing.search.building import Layout, StageLayout
from scheduler.core.mixing.search.shaping.pairs import Pairs
from scheduler.core.mixing.search.shaping.shapes import Shapes, tidied
from scheduler.core.mixing.search.shaping.table import Table


def as_shapes(table: Table, pairs: Pairs, layout: Layout) -> Shapes | None:
    """Return the layout's shape, with no more stages than its pools have room for; None where nothing is like it."""
    names = [pool.name for pool in table.pools]
    runs = [run for run in _runs(layout) if run[0] in names and run[1] in table.degrees]
    cut = [
        pair
        for pair, (replicas, size) in enumerate(zip(pairs.replicas, pairs.micro_batch, strict=True))
        if replicas == layout.data_parallel and table.micro_batches[size] == layout.micro_batch
    ]
    if not runs or not cut:
        return None
    order = [names.index(name) for name, _, _ in runs]
    order += [k for k in range(len(names)) if k not in order]
    degrees = [table.degrees.index(degree) for _, degree, _ in runs] + [0] * (len(names) - len(runs))
    most = pairs.most_stages[cut[0], order, degrees]
    stages = np.minimum(most, [count for _, _, count in runs] + [0] * (len(names) - len(runs)))
    shape = Shapes.of(
        pair=np.array(cut),
        pool=np.array([order]),
        degree=np.array([degrees]),
        stages=stages[None],
        warms=np.array([2 if all(layout.extra_warm_up) else 1 if any(layout.extra_warm_up) else 0]),
    )
    return tidied(shape) if stages.any() else None


def _runs(layout: Layout) -> list[tuple[str, int, int]]:
    """Return pool, degree and stages of each run of stages on one pool."""
    runs: dict[str, tuple[str, int, int]] = {}
    for stage in layout.stages:
        runs[stage.pool] = _longer(runs.get(stage.pool), stage)
    return list(runs.values())


def _longer(run: tuple[str, int, int] | None, stage: StageLayout) -> tuple[str, int, int]:
    return (stage.pool, stage.tensor_parallel, 1 if run is None else run[2] + 1)
