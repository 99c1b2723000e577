"""The shortest time that the busiest stage of a pipeline can have, exactly: and so whether anything fits at all.

For a time T each stage has a most number of layers, by T and by memory. That falls with the stages behind it, since it
holds more micro-batches; so stages are placed from the last to the first, and what counts is only how many there are
and how many layers they take together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.shapes import WARM_UPS_NONE, Shapes, tidied
from scheduler.core.mixing.search.shaping.table import Floats, Integers, Table

ALL_ORDERS_UP_TO = 3
"""Pools: with more, only two orders are looked at, the roomiest and the fastest first, and it is exact for those."""
NOTHING = -1e9
"""Layers where none can be."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Of one way of cutting the batch."""

    busy_s: float
    """Forward and backward of one micro-batch in the busiest stage."""
    shape: Shapes
    """One shape that reaches it."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Stages on one pool, placed in front of what is behind them."""

    pool: int
    degree: int
    stages: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """What is behind: the most layers by the number of stages, and the runs that reach it."""

    layers: Floats
    """P + 1."""
    runs: tuple[tuple[_Run, ...], ...]


def bottleneck_of(table: Table, cuts: Cuts, cut: int) -> Bottleneck | None:
    """Return the shortest busiest stage for one way of cutting the batch; None where nothing fits into memory."""
    best = _longest(table, cuts, cut, np.inf)
    if best is None:
        return None
    times_s = _times_s(table, cuts, cut)
    short, enough = -1, len(times_s) - 1
    while enough - short > 1:
        middle = (short + enough) // 2
        runs = _longest(table, cuts, cut, times_s[middle])
        if runs is None:
            short = middle
        else:
            enough, best = middle, runs
    return Bottleneck(float(times_s[enough]), _shape(table, cut, best))


def _times_s(table: Table, cuts: Cuts, cut: int) -> Floats:
    """Return all times that a stage can be busy for, sorted."""
    can = cuts.most_stages[cut] > 0
    busy_s = table.busy_s[:, :, :, cuts.micro_batch[cut]][:, can]
    ends_s = table.ends_s[:, :, :, cuts.micro_batch[cut]][:, can]
    extras_s = np.stack((np.zeros_like(ends_s[0]), ends_s[0], ends_s[1], ends_s.sum(axis=0)))
    layers = np.arange(1, table.layers + 1)
    times_s = busy_s[:, None, :, None] * layers + extras_s[None, :, :, None]
    return np.unique(times_s)


def _longest(table: Table, cuts: Cuts, cut: int, time_s: float) -> tuple[_Run, ...] | None:
    """Return runs, the last of the pipeline first, that take all layers with no stage busy for longer; None if none."""
    rooms = _Rooms(table, cuts, cut, time_s)
    if rooms.at_best < table.layers:
        return None
    found = _reach(table, rooms, None)
    if found is None or not table.problem.training.shape.ties_embeddings:
        return found
    tied = (_reach(table, rooms, end) for end in range(len(table.degrees)))
    return next((runs for runs in tied if runs is not None), None)


class _Rooms:
    """How many layers a stage can have, by its pool, its degree and the stages behind it."""

    def __init__(self, table: Table, cuts: Cuts, cut: int, time_s: float) -> None:
        self.most_stages = cuts.most_stages[cut]
        self._table, self._time_s = table, time_s * (1 + 1e-9)
        self._d, self._b = cuts.data_parallel[cut], cuts.micro_batch[cut]
        self.deep = int(min(table.layers, self.most_stages.max(axis=1).sum()))
        """P: no pipeline has more stages."""
        self._held = np.minimum(np.arange(1, self.deep + 1), cuts.count[cut])
        self._known: dict[tuple[int, int, bool], Floats] = {}

    @property
    def at_best(self) -> float:
        """All layers, if each stage were the roomiest for its place: no pipeline takes more."""
        able = np.argwhere(self.most_stages > 0).tolist()
        rooms = np.max([self.of(pool, degree, is_first=False) for pool, degree in able], axis=0)
        return float(rooms.clip(min=0.0).sum())

    def of(self, pool: int, degree: int, *, is_first: bool) -> Floats:
        """Return P: the most layers of a stage with 0, 1, ... stages behind it."""
        asked = pool, degree, is_first
        if asked not in self._known:  # other orders and ends ask for the same
            self._known[asked] = self._reckoned(pool, degree, is_first=is_first)
        return self._known[asked]

    def _reckoned(self, pool: int, degree: int, *, is_first: bool) -> Floats:
        table, b = self._table, self._b
        is_last = np.arange(self.deep) == 0
        ends = (float(is_first), is_last)
        extra_s = sum(table.ends_s[end, pool, degree, b] * here for end, here in enumerate(ends))
        kept = sum(table.ends_activation_bytes[end, degree, b] * here for end, here in enumerate(ends))
        owned = sum(table.ends_parameters[end, degree] * here for end, here in enumerate(ends))
        if is_first and table.problem.training.shape.ties_embeddings:
            owned = np.where(is_last, table.ends_parameters[0, degree], owned)
        state_bytes = table.state_bytes[self._d]
        free = table.room_bytes[pool] - owned * state_bytes - table.logits_bytes[degree, b] * is_last
        free = free - kept * self._held
        most = np.full(self.deep, NOTHING)
        for again in range(2):
            each = table.layer_parameters[degree] * state_bytes
            each = each + table.activation_bytes[again, degree, b] * self._held
            by_time = np.floor((self._time_s - extra_s) / table.busy_s[again, pool, degree, b])
            most = np.maximum(most, np.minimum(by_time, np.floor(free / each)))
        return np.where(most < 1, NOTHING, most)


def _reach(table: Table, rooms: _Rooms, end: int | None) -> tuple[_Run, ...] | None:
    """Return runs that reach all layers. A pool may have no stages, so an order stands for those of its subsets too."""
    for order in _orders(table):
        placed = _Placed(np.array([0.0] + [NOTHING] * rooms.deep), ((),) * (rooms.deep + 1))
        for pool in order:
            before = placed
            for degree in np.flatnonzero(rooms.most_stages[pool]):
                whole = _whole(table, rooms, before, _Run(pool, int(degree), 0), end)
                if whole is not None:
                    return whole
                placed = _in_front(rooms, (before, placed), _Run(pool, int(degree), 0), end)
    return None


def _in_front(rooms: _Rooms, known: tuple[_Placed, _Placed], run: _Run, end: int | None) -> _Placed:
    """Return the better of what is known and of a run in front of what was before."""
    before, placed = known
    sums = _sums(rooms.of(run.pool, run.degree, is_first=False))
    most, start = _best_behind(rooms, before, sums, run, end)
    layers = most + sums
    runs = list(placed.runs)
    for stages in np.flatnonzero(layers > placed.layers):
        runs[stages] = (*before.runs[start[stages]], _Run(run.pool, run.degree, int(stages - start[stages])))
    return _Placed(np.maximum(layers, placed.layers), tuple(runs))


def _whole(table: Table, rooms: _Rooms, before: _Placed, run: _Run, end: int | None) -> tuple[_Run, ...] | None:
    """Return the runs of a pipeline that has all layers and begins with this run, None where it cannot."""
    if end not in (None, run.degree):
        return None
    sums = _sums(rooms.of(run.pool, run.degree, is_first=False))
    most, start = _best_behind(rooms, before, sums, run, end)
    first = rooms.of(run.pool, run.degree, is_first=True)
    reached = most[1:] + sums[:-1] + first
    stages = int(reached.argmax()) + 1
    if reached[stages - 1] < table.layers:
        return None
    behind = int(start[stages])
    return (*before.runs[behind], replace(run, stages=stages - behind))


def _sums(rooms: Floats) -> Floats:
    """Return P + 1: the layers of the last 0, 1, ... stages, if all were of one run."""
    return np.concatenate(([0.0], np.cumsum(rooms)))


def _best_behind(rooms: _Rooms, before: _Placed, sums: Floats, run: _Run, end: int | None) -> tuple[Floats, Integers]:
    """Return P + 1, for a run that leads to so many stages: what is best behind it, and the stages it has there.

    What is behind counts with its layers less the `sums` up to it, of which the run then takes the rest. A run has
    from one to its most stages: that is a window of places, and its largest is found by windows twice as wide each
    time.
    """
    values = before.layers - sums
    if end not in (None, run.degree):
        values[0] = -np.inf  # the pipeline's last stage has the head
    best = np.concatenate(([-np.inf], values[:-1]))
    start = np.arange(-1, len(values) - 1)
    width, widest = 1, min(int(rooms.most_stages[run.pool, run.degree]), rooms.deep)
    while width < widest:
        step = min(width, widest - width)
        is_better = best[:-step] >= best[step:]
        best[step:] = np.where(is_better, best[:-step], best[step:])
        start[step:] = np.where(is_better, start[:-step], start[step:])
        width += step
    return best, start


def _orders(table: Table) -> Iterable[tuple[int, ...]]:
    """Return orders of the pools, the pipeline's last one first."""
    pools = range(len(table.pools))
    if len(pools) <= ALL_ORDERS_UP_TO:
        return permutations(pools)
    roomiest_first = sorted(pools, key=lambda k: (table.room_bytes[k], k))
    fastest_first = sorted(pools, key=lambda k: (table.pools[k].flops_per_s * table.pools[k].efficiency, k))
    return tuple(roomiest_first), tuple(fastest_first)


def _shape(table: Table, cut: int, runs: tuple[_Run, ...]) -> Shapes:
    front = runs[::-1]
    idle = [k for k in range(len(table.pools)) if k not in {run.pool for run in front}]
    return tidied(
        Shapes.of(
            cut=np.array([cut]),
            pool=np.array([[run.pool for run in front] + idle]),
            degree=np.array([[run.degree for run in front] + [0] * len(idle)]),
            stages=np.array([[run.stages for run in front] + [0] * len(idle)]),
            warm_ups=np.array([WARM_UPS_NONE]),
        )
    )
