"""Where a search begins that knows a plan."""

import numpy as np

from scheduler.core.mixing.search.building import Layout, StageLayout
from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.shapes import WARM_UPS_ALL, WARM_UPS_BETWEEN, WARM_UPS_NONE, Shapes, tidied
from scheduler.core.mixing.search.shaping.table import Table


def as_shapes(table: Table, cuts: Cuts, layout: Layout) -> Shapes | None:
    """Return the layout's shape, with no more stages than its pools have room for; None where nothing is like it."""
    names = [pool.name for pool in table.pools]
    runs = [run for run in _runs(layout) if run[0] in names and run[1] in table.degrees]
    alike = [
        cut
        for cut, (replicas, size) in enumerate(zip(cuts.replicas, cuts.micro_batch, strict=True))
        if replicas == layout.data_parallel and table.micro_batches[size] == layout.micro_batch
    ]
    if not runs or not alike:
        return None
    order = [names.index(name) for name, _, _ in runs]
    order += [k for k in range(len(names)) if k not in order]
    degrees = [table.degrees.index(degree) for _, degree, _ in runs] + [0] * (len(names) - len(runs))
    most = cuts.most_stages[alike[0], order, degrees]
    stages = np.minimum(most, [count for _, _, count in runs] + [0] * (len(names) - len(runs)))
    shape = Shapes.of(
        cut=np.array(alike),
        pool=np.array([order]),
        degree=np.array([degrees]),
        stages=stages[None],
        warm_ups=np.array([_warm_ups_of(layout)]),
    )
    return tidied(shape) if stages.any() else None


def _warm_ups_of(layout: Layout) -> int:
    if all(layout.extra_warm_up):
        return WARM_UPS_ALL
    return WARM_UPS_BETWEEN if any(layout.extra_warm_up) else WARM_UPS_NONE


def _runs(layout: Layout) -> list[tuple[str, int, int]]:
    """Return pool, degree and stages of each run of stages on one pool."""
    runs: dict[str, tuple[str, int, int]] = {}
    for stage in layout.stages:
        runs[stage.pool] = _longer(runs.get(stage.pool), stage)
    return list(runs.values())


def _longer(run: tuple[str, int, int] | None, stage: StageLayout) -> tuple[str, int, int]:
    return (stage.pool, stage.tensor_parallel, 1 if run is None else run[2] + 1)
