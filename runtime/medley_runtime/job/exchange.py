"""How the ranks of a process group of torch exchange a few figures, on the CPU."""

from __future__ import annotations

import atexit
import importlib
import sys
from datetime import timedelta
from typing import Any

from medley_runtime.job.agreement import Exchange

SIDE_LIMIT_S = 1800.0
"""Ranks may be this far apart when they exchange: one may still be writing or loading what the others have."""


def scripts_exchange() -> Exchange | None:
    """Return how the ranks of this program exchange figures; None where it has no process group, or is alone in it.

    A group of its own, on the CPU: what the training has under way on its devices is not waited for.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    if distributed.get_world_size() == 1:
        return None
    group = distributed.new_group(backend="gloo", timeout=timedelta(seconds=SIDE_LIMIT_S))
    # Groups that the interpreter's end finds open may abort the program, which has ended well.
    atexit.register(_close, distributed)
    return exchange_over(group)


def _close(distributed: Any) -> None:
    if distributed.is_initialized():  # else the script has closed its groups itself, and ours with them
        distributed.destroy_process_group()


def exchange_over(group: Any) -> Exchange:
    """Return how ranks exchange figures over a group with gloo, which is for nothing else."""
    torch = importlib.import_module("torch")
    distributed = importlib.import_module("torch.distributed")

    def exchange(figures: list[float]) -> list[float]:
        values = torch.tensor(figures, dtype=torch.float64)
        distributed.all_reduce(values, op=distributed.ReduceOp.MAX, group=group)
        return [float(value) for value in values]

    return exchange
