"""Every plan of a small problem, by plain loops over the exact costs: what the planner's answers are held against."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise, permutations, product

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Constraints, Problem
from scheduler.core.mixing.boundaries import transfer_s
from scheduler.core.mixing.costs import EndCosts, LayerCosts, embedding_costs, head_costs, layer_costs
from scheduler.core.mixing.memory import in_flight, memory_limit, state_bytes
from scheduler.core.mixing.pipeline import PipelineTimes
from scheduler.core.mixing.syncing import gradient_sync_s, update_s
from scheduler.core.mixing.timing import step_s

MOST_EXTRA = 2
"""Warm-ups at a boundary."""
ROUNDING = 1e-9

Seat = tuple[ChipPool, int]
"""What a stage runs on: a pool and a tensor-parallel degree."""


@dataclass(slots=True)
class Best:
    """Of all plans."""

    step_s: float = float("inf")
    steady_s: float = float("inf")
    """The busiest stage's time for all micro-batches, the shortest of any plan."""


def best_of(problem: Problem) -> Best:
    """Return the shortest step by the formula, and the shortest bottleneck; infinite where nothing fits."""
    best = Best()
    batch = problem.training.global_batch
    for replicas in (size for size in range(1, batch + 1) if batch % size == 0):
        for size in range(1, problem.constraints.most_micro_batch + 1):
            if batch % (replicas * size) == 0:
                for seats in _line_ups(problem, replicas):
                    _Deals(problem, replicas, size, seats).look(best)
    return best


def _line_ups(problem: Problem, replicas: int) -> Iterator[tuple[Seat, ...]]:
    shape = problem.training.shape
    options = {
        pool.name: [
            (degree, stages)
            for degree in range(1, pool.chips_per_node + 1)
            if shape.splits_into(degree)
            for stages in range(1, pool.nodes * (pool.chips_per_node // degree) // replicas + 1)
        ]
        for pool in problem.pools
    }
    for count in range(1, len(problem.pools) + 1):
        for order in permutations(problem.pools, count):
            for choice in product(*(options[pool.name] for pool in order)):
                seats = tuple(
                    (pool, degree) for pool, (degree, stages) in zip(order, choice, strict=True) for _ in range(stages)
                )
                tied = not shape.ties_embeddings or seats[0][1] == seats[-1][1]
                if len(seats) <= shape.layers and tied and _is_allowed(problem.constraints, replicas, seats):
                    yield seats


def _is_allowed(constraints: Constraints, replicas: int, seats: tuple[Seat, ...]) -> bool:
    taken = (
        (constraints.most_chips, replicas * sum(degree for _, degree in seats)),
        (constraints.most_compute, replicas * sum(degree * pool.worth for pool, degree in seats)),
        (constraints.most_chip_types, len({pool.chip for pool, _ in seats})),
    )
    return all(most is None or each <= most * (1 + ROUNDING) for most, each in taken)


class _Deals:
    """All ways of dealing the layers out to given seats."""

    def __init__(self, problem: Problem, replicas: int, size: int, seats: tuple[Seat, ...]) -> None:
        self._problem, self._replicas, self._seats = problem, replicas, seats
        self._count = problem.training.global_batch // (replicas * size)
        self._sends_s = tuple(
            transfer_s(problem, a, b, micro_batch=size, in_one_node=self._devices_of(a) <= a.chips_per_node)
            for (a, _), (b, _) in pairwise(seats)
        )
        again = (False, True) if problem.training.may_recompute else (False,)
        self._layer = [_layers(problem, seat, size, again) for seat in seats]
        self._embedding = embedding_costs(problem, seats[0][0], tensor_parallel=seats[0][1], micro_batch=size)
        self._head = head_costs(problem, seats[-1][0], tensor_parallel=seats[-1][1], micro_batch=size)

    def look(self, best: Best) -> None:
        """Look at all of them."""
        stages, layers = len(self._seats), self._problem.training.shape.layers
        useful = min(MOST_EXTRA, self._count - 1) if self._problem.runtime.may_warm_up_more else 0
        extras = range(useful + 1)
        known = cache(lambda stage, held: [self._stage(stage, count, held) for count in range(layers + 1)])
        for extra in product(extras, repeat=stages - 1):
            held = [in_flight(stage, stages, self._count, extra) for stage in range(stages)]
            table = [known(stage, held[stage]) for stage in range(stages)]
            for cuts in combinations(range(1, layers), stages - 1):
                ends = (*cuts, layers)
                row = [
                    table[stage][end - start] for stage, (start, end) in enumerate(zip((0, *cuts), ends, strict=True))
                ]
                if None not in row:
                    self._judge([stage for stage in row if stage is not None], extra, best)

    def _judge(self, row: list[tuple[float, float, float, float]], extra: tuple[int, ...], best: Best) -> None:
        best.steady_s = min(best.steady_s, self._count * max(stage[0] + stage[1] for stage in row))
        forward_s, backward_s, sync_s, renew_s = zip(*row, strict=True)
        share = self._problem.runtime.blocking_share
        quick_s = (self._count - 1) * max(f + b for f, b in zip(forward_s, backward_s, strict=True)) * (1 - share)
        if quick_s + sum(forward_s) + sum(backward_s) + max(sync_s) < best.step_s:
            times = PipelineTimes(
                self._count, forward_s, backward_s, self._sends_s, extra, sync_s, renew_s, blocking_share=share
            )
            best.step_s = min(best.step_s, step_s(times))

    def _stage(self, stage: int, count: int, held: int) -> tuple[float, float, float, float] | None:
        """Return forward, backward, all-reduce and update of a stage with so many layers; None where it cannot fit."""
        problem, (pool, degree) = self._problem, self._seats[stage]
        ends = [self._embedding] if stage == 0 else []
        ends += [self._head] if stage == len(self._seats) - 1 else []
        for layer in self._layer[stage] if count else []:
            parameters = count * layer.parameters + sum(end.parameters for end in self._owned(ends))
            kept = count * layer.activation_bytes + sum(end.activation_bytes for end in ends)
            taken = state_bytes(problem.training, parameters, self._replicas).total + held * kept
            taken += sum(end.logits_bytes for end in ends) + pool.reserved_bytes
            if taken <= memory_limit(problem, pool):
                return (
                    count * layer.forward_s + sum(end.forward_s for end in ends),
                    count * layer.backward_s + sum(end.backward_s for end in ends),
                    gradient_sync_s(
                        problem, pool, tensor_parallel=degree, data_parallel=self._replicas, parameters=parameters
                    ),
                    update_s(problem, pool, parameters=parameters, data_parallel=self._replicas),
                )
        return None

    def _devices_of(self, pool: ChipPool) -> int:
        return self._replicas * sum(degree for other, degree in self._seats if other == pool)

    def _owned(self, ends: list[EndCosts]) -> list[EndCosts]:
        return ends[:1] if self._problem.training.shape.ties_embeddings and len(self._seats) == 1 else ends


def _layers(problem: Problem, seat: Seat, size: int, again: tuple[bool, ...]) -> list[LayerCosts]:
    pool, degree = seat
    return [
        layer_costs(problem, pool, tensor_parallel=degree, micro_batch=size, recomputes=recomputes)
        for recomputes in again
    ]
