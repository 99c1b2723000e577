"""How long the layers of a family's model take on each chip type: measured, or said by an operator."""

from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.measuring.throughput import MOST_WEIGHT, JobFamily

MOST_PROFILES = 10_000
"""So many are kept: of measured ones those that were longest not heard of are forgotten."""
WORTH_TELLING = 0.01
"""What is measured now and planned with may differ by so much: the noise of measuring makes nobody plan anew."""


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
    times: LayerProfile
    """What is planned with: what was said, else what is measured, of each figure by itself.

    What is measured is taken over when it is WORTH_TELLING away.
    """


@dataclass(frozen=True, slots=True)
class LayerSpeed:
    """What of a profile is planned with."""

    family: JobFamily
    key: ProfileKey
    times: LayerProfile | None
    """None: nothing is known any more."""


def layer_speed_of(one: Profile) -> LayerSpeed:
    """Return what of a profile is planned with."""
    return LayerSpeed(one.family, one.key, one.times)


def learnt_layers(known: Profile | None, new: MeasuredLayers, at: datetime) -> Profile:
    """Return a profile with what was reported taken in; a figure that was not measured stays as it was."""
    if known is None:
        return Profile(new.family, new.key, new.times, new.reports, None, 1, at, new.times)
    part = new.reports / (min(known.reports, MOST_WEIGHT) + new.reports)
    measured = new.times if known.measured is None else _between(known.measured, new.times, part)
    counts = measured if known.said is None else _said_before(known.said, measured)
    return replace(
        known,
        measured=measured,
        reports=known.reports + new.reports,
        version=known.version + 1,
        at=at,
        times=counts if _are_apart(known.times, counts) else known.times,
    )


def said_layers(known: Profile | None, family: JobFamily, key: ProfileKey, said: LayerProfile, at: datetime) -> Profile:
    """Return a profile of which an operator says this."""
    if known is None:
        return Profile(family, key, None, 0, said, 1, at, said)
    times = said if known.measured is None else _said_before(said, known.measured)
    return replace(known, said=said, version=known.version + 1, at=at, times=times)


def _said_before(said: LayerProfile, measured: LayerProfile) -> LayerProfile:
    return LayerProfile(
        said.layer_forward_s,
        said.layer_backward_s,
        measured.embedding_s if said.embedding_s is None else said.embedding_s,
        measured.head_s if said.head_s is None else said.head_s,
        measured.update_s if said.update_s is None else said.update_s,
    )


def _are_apart(one: LayerProfile, other: LayerProfile) -> bool:
    """Say whether a figure differs by more than noise, or is known in one of them alone."""
    pairs = [
        (one.layer_forward_s, other.layer_forward_s),
        (one.layer_backward_s, other.layer_backward_s),
        (one.embedding_s, other.embedding_s),
        (one.head_s, other.head_s),
        (one.update_s, other.update_s),
    ]
    if any((before is None) != (after is None) for before, after in pairs):
        return True
    known = [(before or 0.0, after or 0.0) for before, after in pairs]
    return any(abs(after - before) > WORTH_TELLING * max(before, after) for before, after in known)


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
