"""What was measured of layers: it goes before every formula."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler.core.model.measuring.layers import LayerProfile, ProfileKey

__all__ = ["LayerProfile", "ProfileKey", "Profiles"]


@dataclass(frozen=True, slots=True)
class Profiles:
    """Measured layers of one model family, in one version."""

    version: int = 0
    """Another one after every change; part of a plan's key."""
    layers: Mapping[ProfileKey, LayerProfile] = field(default_factory=dict)
