"""How long the layers of a family's model take on each chip type: measured, or said by an operator."""

from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.measuring.throughput import MOST_WEIGHT, JobFamily

MOST_PROFILES = 10_000
"""So many are kept: of measured ones those that were longest not heard of are forgotten."""
_DIGITS = 3
"""Noise of measuring is below the third digit, so that it makes nobody plan anew."""


@dataclass(frozen=True, slots=True)
class ProfileKey:
    """What a layer's times depend on."""

    chip: ChipName
    tensor_parallel: int
    micro_batch: int
    """Sequences."""


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """Seconds of one micro-batch, tensor-parallel communication included; None: nobody measured it."""

    layer_forward_s: float
    layer_backward_s: float
    """Without recomputation."""
    embedding_s: float | None = None
    """Forward and backward."""
    head_s: float | None = None
    """Forward and backward, with the loss."""
    update_s: float | None = None
    """The optimiser's step for one layer."""


_NOTHING = LayerProfile(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class MeasuredLayers:
    """What one report said of the layers of a family."""

    family: JobFamily
    key: ProfileKey
    times: LayerProfile
    reports: int = 1
    """Stages that it follows from."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How long the layers of a family take, as it is kept."""

    family: JobFamily
    key: ProfileKey
    measured: LayerProfile | None
    """What workers reported, newer reports counting more; None where none did."""
    reports: int
    """How many stages that follows from."""
    said: LayerProfile | None
    """What an operator said; it goes before what is measured."""
    version: int
    """From 1; grows with every change."""
    at: datetime
    """Of the latest change."""

    @property
    def times(self) -> LayerProfile:
        """What counts: what an operator said, else what was measured, of each figure by itself."""
        said, measured = self.said, self.measured
        if said is None or measured is None:
            return said or measured or _NOTHING
        return LayerProfile(
            said.layer_forward_s,
            said.layer_backward_s,
            measured.embedding_s if said.embedding_s is None else said.embedding_s,
            measured.head_s if said.head_s is None else said.head_s,
            measured.update_s if said.update_s is None else said.update_s,
        )


@dataclass(frozen=True, slots=True)
class LayerSpeed:
    """What of a profile is planned with."""

    family: JobFamily
    key: ProfileKey
    times: LayerProfile | None
    """To three digits; None: nothing is known any more."""


def layer_speed_of(one: Profile) -> LayerSpeed:
    """Return what of a profile is planned with."""
    times = one.times
    rounded = LayerProfile(
        _to_digits(times.layer_forward_s),
        _to_digits(times.layer_backward_s),
        None if times.embedding_s is None else _to_digits(times.embedding_s),
        None if times.head_s is None else _to_digits(times.head_s),
        None if times.update_s is None else _to_digits(times.update_s),
    )
    return LayerSpeed(one.family, one.key, rounded)


def learnt_layers(known: Profile | None, new: MeasuredLayers, at: datetime) -> Profile:
    """Return a profile with what was reported taken in; a figure that was not measured stays as it was."""
    if known is None:
        return Profile(new.family, new.key, new.times, new.reports, None, 1, at)
    part = new.reports / (min(known.reports, MOST_WEIGHT) + new.reports)
    before = known.measured
    times = new.times if before is None else _between(before, new.times, part)
    return replace(known, measured=times, reports=known.reports + new.reports, version=known.version + 1, at=at)


def _between(before: LayerProfile, after: LayerProfile, part: float) -> LayerProfile:
    return LayerProfile(
        _mean(before.layer_forward_s, after.layer_forward_s, part),
        _mean(before.layer_backward_s, after.layer_backward_s, part),
        _mean_of_known(before.embedding_s, after.embedding_s, part),
        _mean_of_known(before.head_s, after.head_s, part),
        _mean_of_known(before.update_s, after.update_s, part),
    )


def _mean(old: float, new: float, part: float) -> float:
    return old * (1.0 - part) + new * part


def _mean_of_known(old: float | None, new: float | None, part: float) -> float | None:
    return new if old is None else old if new is None else _mean(old, new, part)


def _to_digits(value: float) -> float:
    return float(f"{value:.{_DIGITS - 1}e}")
