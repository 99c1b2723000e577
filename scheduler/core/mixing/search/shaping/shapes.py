"""Shapes of pipelines: which pools, in which order, with which degree and how many stages, and how the batch is cut.

Many at a time, in arrays of C shapes by K positions of the pipeline. Positions with stages come first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations

import numpy as np

from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.table import Flags, Floats, Integers, Table

WARM_UPS_NONE, WARM_UPS_BETWEEN, WARM_UPS_ALL = 0, 1, 2
"""Extra warm-ups nowhere, at boundaries between pools, at all boundaries."""
ALL_ORDERS_UP_TO = 3
"""With so many pools all orders of all subsets are drawn up at first, with more only some."""
NO_KEYS: Integers = np.zeros(0, dtype=np.int64)
SHARES = (1.0, 0.5, 0.25)
"""Of the stages that a pool could have, at first."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """C shapes, one row of numbers each, so that they are taken, joined and told apart in one array operation."""

    rows: Integers
    """C, 2 + 3 K: cut, warm-ups, then by positions the pools, the degrees and the stages."""

    @classmethod
    def of(cls, cut: Integers, pool: Integers, degree: Integers, stages: Integers, warm_ups: Integers) -> "Shapes":
        """Return shapes of what they are made of."""
        return cls(np.concatenate((cut[:, None], warm_ups[:, None], pool, degree, stages), axis=1))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def kinds(self) -> int:
        """K: positions, as many as pools."""
        return int(self.rows.shape[1] - 2) // 3

    @property
    def cut(self) -> Integers:
        """C: index into the cuts."""
        return self.rows[:, 0]

    @property
    def warm_ups(self) -> Integers:
        """C: where there are extra warm-ups: `WARM_UPS_NONE`, `WARM_UPS_BETWEEN` or `WARM_UPS_ALL`."""
        return self.rows[:, 1]

    @property
    def pool(self) -> Integers:
        """C, K: the pool at each position."""
        return self.rows[:, 2 : 2 + self.kinds]

    @property
    def degree(self) -> Integers:
        """C, K: index into the table's degrees."""
        return self.rows[:, 2 + self.kinds : 2 + 2 * self.kinds]

    @property
    def stages(self) -> Integers:
        """C, K."""
        return self.rows[:, 2 + 2 * self.kinds :]

    def take(self, which: Integers | Flags | slice) -> "Shapes":
        """Return some of them, or some of them several times."""
        return Shapes(self.rows[which])

    def at(self, cut: Integers, stages: Integers) -> "Shapes":
        """Return them with another cut of the batch and other numbers of stages."""
        rows = self.rows.copy()
        rows[:, 0], rows[:, 2 + 2 * self.kinds :] = cut, stages
        return Shapes(rows)

    def warmed(self, warm_ups: int) -> "Shapes":
        """Return them with extra warm-ups elsewhere."""
        rows = self.rows.copy()
        rows[:, 1] = warm_ups
        return Shapes(rows)

    def placed(self, order: Integers) -> "Shapes":
        """Return them with their positions in another order: C, K."""
        numbers = np.arange(len(self))[:, None, None]
        positions = self.rows[:, 2:].reshape(len(self), 3, self.kinds)
        moved = positions[numbers, np.arange(3)[:, None], order[:, None, :]]
        return Shapes(np.concatenate((self.rows[:, :2], moved.reshape(len(self), 3 * self.kinds)), axis=1))

    def keys(self) -> Integers:
        """Return a number for each; two of one number are the same shape."""
        return self.rows @ _factors(self.rows.shape[1])


@cache
def _factors(width: int) -> Integers:
    """Return numbers of 64 bits whose sums of small multiples hardly ever agree: powers of one that is mixed well."""
    factors = [pow(0x9E3779B97F4A7C15, power, 1 << 64) for power in range(1, width + 1)]
    return np.array(factors, dtype=np.uint64).astype(np.int64)


def joined(parts: list[Shapes]) -> Shapes:
    """Return all of them, one part after another."""
    return Shapes(np.concatenate([part.rows for part in parts]))


def once_each(shapes: Shapes, but: Integers) -> Shapes:
    """Return each shape once, in the order they come in, without those of some keys."""
    seen = set(but.tolist())
    first = []
    for place, key in enumerate(shapes.keys().tolist()):
        if key not in seen:
            seen.add(key)
            first.append(place)
    return shapes.take(np.array(first, dtype=np.int64))


def tidied(shapes: Shapes) -> Shapes:
    """Put positions without stages last, in the order of pools."""
    kinds = shapes.kinds
    is_used = shapes.stages > 0
    rank = np.where(is_used, np.arange(kinds), kinds + shapes.pool)
    order = np.argsort(rank, axis=1)
    rows = shapes.rows.copy()
    rows[:, 2 + kinds : 2 + 2 * kinds] *= is_used
    return Shapes(rows).placed(order)


def first_shapes(table: Table, cuts: Cuts, some: int) -> Shapes:
    """Draw up shapes of the cuts with the best bounds: of subsets of the pools, degrees and numbers of stages."""
    orders, uses = _line_ups(table)
    choices = (min(some, len(cuts.count)), len(orders), len(table.degrees), len(SHARES))
    n, line, degree, share = np.indices(choices).reshape(4, -1)
    pool = orders[line]
    has_room = cuts.most_stages[n[:, None], pool] > 0
    possible = has_room & (np.arange(len(table.degrees)) <= degree[:, None, None])
    highest = np.where(possible, np.arange(len(table.degrees)), -1).max(axis=2)
    stages = np.where(highest >= 0, cuts.most_stages[n[:, None], pool, highest], 0)
    stages = np.where(uses[line], np.ceil(stages * np.array(SHARES)[share][:, None]), 0).astype(np.int64)
    drawn = Shapes.of(n, pool, highest.clip(min=0), stages, np.zeros(len(n), dtype=np.int64))
    drawn = tidied(joined(_cut_to_limits(table, cuts, drawn)))
    return allowed(table, cuts, once_each(drawn, NO_KEYS))


def allowed(table: Table, cuts: Cuts, shapes: Shapes) -> Shapes:
    """Return those that keep to the constraints, have no more stages than layers, and can tie embeddings if need be."""
    training, constraints = table.problem.training, table.problem.constraints
    deep = shapes.stages.sum(axis=1)
    fine = (deep >= 1) & (deep <= table.layers)
    devices, worth = _taken(table, cuts, shapes)
    if constraints.most_chips is not None:
        fine &= devices <= constraints.most_chips
    if constraints.most_compute is not None:
        fine &= worth <= constraints.most_compute * (1 + 1e-9)
    if constraints.most_chip_types is not None:
        chips = sorted({pool.chip for pool in table.pools})
        kind = np.array([chips.index(pool.chip) for pool in table.pools])[shapes.pool]
        used = [((kind == chip) & (shapes.stages > 0)).any(axis=1) for chip in range(len(chips))]
        fine &= np.sum(used, axis=0) <= constraints.most_chip_types
    if training.shape.ties_embeddings:
        last = ((shapes.stages > 0).sum(axis=1) - 1).clip(min=0)
        fine &= shapes.degree[:, 0] == shapes.degree[np.arange(len(shapes)), last]
    return shapes.take(fine)


def _line_ups(table: Table) -> tuple[Integers, Flags]:
    """Return orders of pools, and which of them each line-up uses."""
    pools = range(len(table.pools))
    speed = [pool.flops_per_s * pool.efficiency for pool in table.pools]
    fastest = sorted(pools, key=lambda k: (-speed[k], k))
    roomiest = sorted(pools, key=lambda k: (-table.room_bytes[k], k))
    if len(pools) <= ALL_ORDERS_UP_TO:
        used = [order for size in range(1, len(pools) + 1) for order in permutations(pools, size)]
    else:
        used = [tuple(k for k in roomiest if k in subset) for subset in _likely_subsets(table, fastest)]
    orders = np.array([[*order, *(k for k in pools if k not in order)] for order in used])
    uses = np.array([[place < len(order) for place in pools] for order in used])
    return orders, uses


def _likely_subsets(table: Table, fastest: list[int]) -> list[frozenset[int]]:
    """Return each pool alone, and those with the fastest chips or with most compute; with few types all of so many."""
    pools = range(len(table.pools))
    compute = [pool.chips * pool.flops_per_s * pool.efficiency for pool in table.pools]
    largest = sorted(pools, key=lambda k: (-compute[k], k))
    few = table.problem.constraints.most_chip_types or len(pools)
    found: list[Sequence[int]] = [[k] for k in pools]
    found += [order[:size] for order in (fastest, largest) for size in range(2, len(pools) + 1)]
    if few <= len(pools) // 2:
        found += [subset for size in range(2, few + 1) for subset in combinations(pools, size)]
    return list(dict.fromkeys(frozenset(subset) for subset in found))


def _cut_to_limits(table: Table, cuts: Cuts, shapes: Shapes) -> list[Shapes]:
    """Take so many stages from each pool that there are no more than layers, and no more devices than allowed.

    From all pools in proportion; where devices are limited also so that the first pools, or the last, give theirs up
    last: what is rounded down in proportion may leave a device unused that memory wants.
    """
    constraints = table.problem.constraints
    devices, worth = _taken(table, cuts, shapes)
    share = np.minimum(1.0, table.layers / shapes.stages.sum(axis=1).clip(min=1))
    if constraints.most_chips is not None:
        share = np.minimum(share, constraints.most_chips / devices.clip(min=1))
    if constraints.most_compute is not None:
        share = np.minimum(share, constraints.most_compute / worth.clip(min=1e-9))
    stages = np.floor(shapes.stages * share[:, None] + 1e-9).astype(np.int64)
    found = [shapes.at(shapes.cut, stages)]
    if constraints.most_chips is not None or constraints.most_compute is not None:
        places = range(shapes.kinds)
        found += [_taken_in_turn(table, cuts, shapes, turns) for turns in (places, reversed(places))]
    return found


def _taken_in_turn(table: Table, cuts: Cuts, shapes: Shapes, turns: Iterable[int]) -> Shapes:
    """Let each position in turn have as many of its stages as layers and limits leave to it."""
    constraints = table.problem.constraints
    devices = cuts.replicas[shapes.cut][:, None] * np.array(table.degrees)[shapes.degree]
    worth = devices * np.array([pool.worth for pool in table.pools])[shapes.pool]
    each = np.stack((np.ones_like(worth), devices, worth))
    limits = [table.layers, constraints.most_chips or np.inf, constraints.most_compute or np.inf]
    left = np.repeat(np.array(limits, dtype=np.float64)[:, None], len(shapes), axis=1)
    stages = np.zeros_like(shapes.stages)
    for place in turns:
        most = np.floor(left / each[:, :, place] + 1e-9).min(axis=0)
        stages[:, place] = np.minimum(shapes.stages[:, place], most)
        left = left - stages[:, place] * each[:, :, place]
    return shapes.at(shapes.cut, stages)


def in_one_node(table: Table, cuts: Cuts, shapes: Shapes) -> Flags:
    """Say of which positions a single node has all devices that all replicas take: C, K."""
    degrees = np.array(table.degrees)[shapes.degree]
    per_node = np.array([pool.chips_per_node for pool in table.pools])[shapes.pool]
    said: Flags = cuts.replicas[shapes.cut][:, None] * degrees * shapes.stages <= per_node
    return said


def _taken(table: Table, cuts: Cuts, shapes: Shapes) -> tuple[Integers, Floats]:
    """Return the devices that each shape takes, and what they are worth."""
    degrees = np.array(table.degrees)[shapes.degree]
    devices = cuts.replicas[shapes.cut][:, None] * degrees * shapes.stages
    worth = np.array([pool.worth for pool in table.pools])[shapes.pool]
    return devices.sum(axis=1), (devices * worth).sum(axis=1)
