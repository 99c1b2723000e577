"""Importing torch so that it starts quickly and its remarks stay out of the log."""

from __future__ import annotations

import os
import warnings

from medley_runtime.endings import TrainingFailed


def load_torch() -> None:
    """Import torch. Raises TrainingFailed where it is not installed."""
    # Workers often share a machine; more threads than devices only get in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
        try:
            import torch.distributed  # noqa: PLC0415 - the variables above must be set before
        except ImportError as error:
            reason = f"torch cannot be imported ({error}), and the reference training needs it"
            raise TrainingFailed(f"{reason}; install torch 2.1 or later in the worker's environment") from error
        torch.set_num_threads(1)
