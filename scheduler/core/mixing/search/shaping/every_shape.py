"""All shapes of a small problem: under limits the best may be unlike any that is drawn up otherwise."""

from collections.abc import Iterator
from itertools import islice, permutations, product

import numpy as np

from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.shapes import WARM_UPS_NONE, Shapes, allowed
from scheduler.core.mixing.search.shaping.table import Table

MOST_SHAPES = 10_000


def every_shape(table: Table, cuts: Cuts, most: int = MOST_SHAPES) -> Shapes | None:
    """Return all shapes of all cuts that keep to the constraints, without warm-ups; None where more than `most` are."""
    rows = list(islice(_rows(table, cuts), most + 1))
    if len(rows) > most:
        return None
    width = 2 + 3 * len(table.pools)
    return allowed(table, cuts, Shapes(np.array(rows, dtype=np.int64).reshape(-1, width)))


def _rows(table: Table, cuts: Cuts) -> Iterator[tuple[int, ...]]:
    """Yield rows of numbers as `Shapes` has them."""
    pools = range(len(table.pools))
    orders = [order for size in range(1, len(pools) + 1) for order in permutations(pools, size)]
    for cut, most_stages in enumerate(cuts.most_stages.tolist()):
        options = [
            [(degree, stages) for degree, most in enumerate(of_pool) for stages in range(1, most + 1)]
            for of_pool in most_stages
        ]
        for order in orders:
            idle = [k for k in pools if k not in order]
            for chosen in product(*(options[k] for k in order)):
                degrees, stages = zip(*chosen, strict=True)
                none = (0,) * len(idle)
                yield (cut, WARM_UPS_NONE, *order, *idle, *degrees, *none, *stages, *none)
