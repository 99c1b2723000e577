"""What counts how much, as an operator configures it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from scheduler.core.placement.scoring.outlook import Outlook
from scheduler.core.placement.scoring.terms import (
    FragmentationGradient,
    Gain,
    Rarity,
    Slant,
    Weighted,
    tightest_fit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.placement.scoring.facts import HardwareFacts
    from scheduler.core.placement.scoring.job_mix import JobMix


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts. Those of nodes were found on a public trace, see docs/decisions/0020."""

    usable: float = 1.0
    """Of a node: that what is left stays usable for typical workers, given the cpu left."""
    reachable: float = 0.45
    """Of a node: that it stays reachable for them."""
    waste: float = 0.45
    """Of a node: that no remainders of devices are left that nobody wants."""
    slant: float = 0.15
    """Of a node: that nodes differ in what they are good for."""
    rarity: float = 0.40
    """Of a node: that rare chip types are kept."""
    fragmentation: float = 0.0
    """Of a node: the published gradient, to compare with."""
    tightest_fit: float = 0.0
    """Of a node: that little is left on it. While no mix of jobs is known, this alone counts."""
    closeness: float = 1.0
    """Of an option: that its workers are close together."""
    node: float = 1.0
    """Of an option: the score of its nodes."""
    chip_value: float = 1.0
    """Of an option: that it leaves the more valuable chips to those who need them."""
    headroom: float = 1.0
    """Of an option: that devices stay free for inference."""


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class ChipWorth:
    """What an option is judged by besides its nodes."""

    values: Mapping[ChipName, float] = field(default_factory=lambda: MappingProxyType({}))
    """What a chip type is worth, 0 to 1; one that is not named is worth 0."""
    headroom_devices: Mapping[ChipName, int] = field(default_factory=lambda: MappingProxyType({}))
    """Per cluster so many devices of a chip type are better left free, for inference to grow into."""


NOTHING_WORTH = ChipWorth()


def node_terms(weights: Weights, mix: JobMix, facts: HardwareFacts) -> tuple[Weighted, ...]:
    """Return the terms of a node's score."""
    if not mix.shares:
        return (Weighted(tightest_fit, 1.0),)
    outlook = Outlook(mix)
    return (
        Weighted(Gain(outlook, weights.usable, weights.reachable, weights.waste), 1.0),
        Weighted(Slant(facts), weights.slant),
        Weighted(Rarity(facts), weights.rarity),
        Weighted(FragmentationGradient(outlook), weights.fragmentation),
        Weighted(tightest_fit, weights.tightest_fit),
    )
