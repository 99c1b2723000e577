"""How places are judged, as an operator may say it; what is left unsaid is known, or learnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from scheduler.core.placement.scoring.weights import DEFAULT_WEIGHTS, ChipWorth, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.core.model.chip import ChipType
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.placement.scoring.job_mix import JobMix


@dataclass(frozen=True, slots=True)
class Scoring:
    """What places are judged by."""

    weights: Weights = DEFAULT_WEIGHTS
    chip_values: Mapping[ChipName, float] = field(default_factory=lambda: MappingProxyType({}))
    """What a chip type is worth, 0 to 1; one that is not named is worth its part of the highest planning rate."""
    headroom_devices: Mapping[ChipName, int] = field(default_factory=lambda: MappingProxyType({}))
    """Per cluster so many devices of a chip type are better left free, for inference to grow into."""
    job_mix: JobMix | None = None
    """The workers that jobs usually have; None: learnt from the jobs that wait or run."""


DEFAULT_SCORING = Scoring()


def worth_of(scoring: Scoring, chips: Iterable[ChipType]) -> ChipWorth:
    """Return what chip types are worth under a catalogue; one of which nobody knows a rate is worth 0 if not named."""
    rates = {chip.name: chip.planning_tflops for chip in chips if chip.planning_tflops is not None}
    highest = max(rates.values(), default=0.0)
    known = {name: rate / highest for name, rate in sorted(rates.items())} if highest > 0 else {}
    return ChipWorth(MappingProxyType(known | dict(scoring.chip_values)), scoring.headroom_devices)
