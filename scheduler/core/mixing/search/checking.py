"""What can be planned with at all."""

from collections.abc import Iterator
from math import isfinite

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.search.found import Bad, BadProblem, NoPlanError, NoPrecision


def usable_pools(problem: Problem) -> tuple[ChipPool, ...]:
    """Return the pools that have devices which compute in the training's precision.

    Raises NoPlanError where there is none, and where any figure cannot be: one that is not a number, zero or less.
    """
    for fault in _faults(problem):
        raise NoPlanError(fault)
    pools = tuple(pool for pool in problem.pools if pool.chips)
    if not pools:
        raise NoPlanError(BadProblem(Bad.NO_POOL, "pools"))
    able = tuple(pool for pool in pools if problem.training.precision in pool.precisions)
    if not able:
        chips = tuple(sorted({pool.chip for pool in pools}))
        raise NoPlanError(NoPrecision(problem.training.precision, chips))
    return able


def _faults(problem: Problem) -> Iterator[BadProblem]:
    for where, value in _figures(problem):
        if not (isfinite(value) and value > 0):
            yield BadProblem(Bad.NOT_POSITIVE, where, value)
    for where, value in _figures_from_zero(problem):
        if not (isfinite(value) and value >= 0):
            yield BadProblem(Bad.NEGATIVE, where, value)
    for name in ("blocking_share", "memory_share"):
        share = getattr(problem.runtime, name)
        if not 0 <= share <= 1:
            yield BadProblem(Bad.NO_SHARE, f"runtime.{name}", share)
    yield from _shape_faults(problem.training.shape)
    names = [pool.name for pool in problem.pools]
    yield from (BadProblem(Bad.SAME_NAME, name) for name in names if names.count(name) > 1)
    for pair in problem.links:
        yield from (BadProblem(Bad.UNKNOWN_POOL, name) for name in sorted(pair) if name not in names)


def _shape_faults(shape: ModelShape) -> Iterator[BadProblem]:
    if shape.hidden % shape.heads:
        yield BadProblem(Bad.HEADS_DO_NOT_DIVIDE, "training.shape.heads", shape.heads)
    elif shape.key_value_width * shape.heads % shape.hidden or shape.heads % shape.key_value_heads:
        yield BadProblem(Bad.NO_KEY_VALUE_HEADS, "training.shape.key_value_width", shape.key_value_width)
    if shape.experts and shape.experts.active > shape.experts.count:
        yield BadProblem(Bad.MORE_ACTIVE_THAN_EXPERTS, "training.shape.experts.active", shape.experts.active)


def _figures(problem: Problem) -> Iterator[tuple[str, float]]:
    """Give all figures that must be more than zero, with their names."""
    training, shape = problem.training, problem.training.shape
    for name in ("layers", "hidden", "heads", "key_value_width", "feed_forward_width", "vocabulary"):
        yield f"training.shape.{name}", getattr(shape, name)
    if shape.experts:
        yield "training.shape.experts.count", shape.experts.count
        yield "training.shape.experts.active", shape.experts.active
    yield "training.global_batch", training.global_batch
    yield "training.sequence", training.sequence
    for pool in problem.pools:
        for name in ("flops_per_s", "efficiency", "memory_bytes", "chips_per_node", "worth"):
            yield f"{pool.name}.{name}", getattr(pool, name)
        for name in ("device_link_bytes_per_s", "node_link_bytes_per_s", "host_copy_bytes_per_s"):
            yield f"{pool.name}.{name}", getattr(pool, name)
    for pair, link in problem.links.items():
        yield f"link {' - '.join(sorted(pair))}", link.bytes_per_s
    for key, profile in problem.profiles.layers.items():
        yield f"profile {key.chip}", profile.layer_forward_s
        yield f"profile {key.chip}", profile.layer_backward_s
    yield from _limits(problem)


def _figures_from_zero(problem: Problem) -> Iterator[tuple[str, float]]:
    """Give all figures that must not be less than zero, with their names."""
    yield "training.shape.learnt_positions", problem.training.shape.learnt_positions
    for pool in problem.pools:
        yield f"{pool.name}.nodes", pool.nodes
        yield f"{pool.name}.reserved_bytes", pool.reserved_bytes
    for pair, link in problem.links.items():
        yield f"latency {' - '.join(sorted(pair))}", link.latency_s
    for key, profile in problem.profiles.layers.items():
        for value in (profile.embedding_s, profile.head_s, profile.update_s):
            if value is not None:
                yield f"profile {key.chip}", value


def _limits(problem: Problem) -> Iterator[tuple[str, float]]:
    constraints = problem.constraints
    yield "runtime.memory_share", problem.runtime.memory_share
    yield "constraints.most_micro_batch", constraints.most_micro_batch
    for name in ("most_chip_types", "least_tokens_per_s", "most_compute", "most_chips"):
        value = getattr(constraints, name)
        if value is not None:
            yield f"constraints.{name}", value
