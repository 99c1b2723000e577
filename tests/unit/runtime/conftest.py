"""Torch is imported here first, because a bare import of it warns, and warnings are errors."""

from medley_runtime.torch_loading import load_torch

load_torch()
