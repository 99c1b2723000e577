"""What was measured of layers: it goes before every formula."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler.core.model.identifiers import ChipName


@dataclass(frozen=True, slots=True)
class ProfileKey:
    """What a layer's times depend on."""

    chip: ChipName
    tensor_parallel: int
    micro_batch: int


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """Seconds of one micro-batch, its tensor-parallel communication included."""

    layer_forward_s: float
    layer_backward_s: float
    """Without recomputation."""
    embedding_s: float = 0.0
    """Forward and backward."""
    head_s: float = 0.0
    """Forward and backward, with the loss."""
    update_s: float = 0.0
    """The optimiser's step for one layer."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """Measured layers of one model family, in one version."""

    version: int = 0
    """Grows with every change; part of a plan's key."""
    layers: Mapping[ProfileKey, LayerProfile] = field(default_factory=dict)
