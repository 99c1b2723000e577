"""Problems of the planner in round numbers."""

from typing import Any

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.asked.training import Training

SMALL = ModelShape("small", layers=4, hidden=1_000, heads=10, key_value_width=1_000, feed_forward_width=4_000,
                   vocabulary=10_000, is_gated=False)  # fmt: skip


def training_of(shape: ModelShape = SMALL, **said: Any) -> Training:
    """Return a training of 8 sequences of 100 tokens a step."""
    return Training(shape, **({"global_batch": 8, "sequence": 100} | said))


def pool_of(name: str = "a", **said: Any) -> ChipPool:
    """Return two nodes of four devices that do 1 TFLOP/s at their best and half of it in layers."""
    alike: dict[str, Any] = {
        "chip": "chip-" + name,
        "vendor": "vendor",
        "nodes": 2,
        "chips_per_node": 4,
        "memory_bytes": 10_000_000_000,
        "flops_per_s": 1e12,
        "device_link_bytes_per_s": 1e9,
        "node_link_bytes_per_s": 1e8,
        "efficiency": 0.5,
        "reserved_bytes": 1_000_000_000,
        "host_copy_bytes_per_s": 1e9,
    }
    return ChipPool(name, **(alike | said))


def problem_of(*pools: ChipPool, training: Training | None = None, **said: Any) -> Problem:
    """Return a problem on these pools, or on the one of `pool_of`."""
    return Problem(training or training_of(), pools or (pool_of(),), **said)
