"""Changes of a job by which it may start sooner, each of them a thing that its user can do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from scheduler.core.model.job import AnyOf
from scheduler.core.model.topology import Closeness

if TYPE_CHECKING:
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.job import JobSpec


class Wishful(StrEnum):
    """What a job may ask for beside its devices, as its file names it."""

    CLOSENESS = "topology.require"
    SPREAD = "spread"
    APART = "apart"
    EXCLUSIVE = "exclusive"
    NODE_LABELS = "node_labels"


@dataclass(frozen=True, slots=True)
class Without:
    """It gives up a wish about where its workers are."""

    wish: Wishful


@dataclass(frozen=True, slots=True)
class AlsoOnChip:
    """It takes another chip type as well, liked least."""

    chip: ChipName


@dataclass(frozen=True, slots=True)
class FewerWorkers:
    """It asks for fewer workers."""

    workers: int


@dataclass(frozen=True, slots=True)
class FewerDevices:
    """Its workers ask for fewer devices each."""

    devices_per_worker: int


@dataclass(frozen=True, slots=True)
class ShorterLimit:
    """It is stopped sooner, and so may use what is kept for others until then."""

    time_limit_s: int


Remedy = ShorterLimit | Without | AlsoOnChip | FewerWorkers | FewerDevices


def with_remedy(spec: JobSpec, remedy: Remedy) -> JobSpec:
    """Return what the job asks for then."""
    match remedy:
        case ShorterLimit(time_limit_s):
            return replace(spec, time_limit_s=time_limit_s)
        case Without(wish):
            return _without(spec, wish)
        case AlsoOnChip(chip):
            known = spec.chips.chips if isinstance(spec.chips, AnyOf) else ()
            return replace(spec, chips=AnyOf((*known, chip)))
        case FewerWorkers(workers):
            return replace(spec, workers=workers)
        case FewerDevices(devices):
            return replace(spec, shape=replace(spec.shape, devices=devices))
    assert_never(remedy)


def _without(spec: JobSpec, wish: Wishful) -> JobSpec:
    match wish:
        case Wishful.CLOSENESS:
            return replace(spec, closeness=Closeness(preferred=spec.closeness.preferred))
        case Wishful.SPREAD:
            return replace(spec, spread=None)
        case Wishful.APART:
            return replace(spec, apart=None)
        case Wishful.EXCLUSIVE:
            return replace(spec, exclusive=False)
        case Wishful.NODE_LABELS:
            return replace(spec, node_labels=())
    assert_never(wish)


def wishes_of(spec: JobSpec) -> tuple[Wishful, ...]:
    """Return the wishes about where its workers are that a job could give up."""
    has = {
        Wishful.CLOSENESS: spec.closeness.required is not None,
        Wishful.SPREAD: spec.spread is not None,
        Wishful.APART: spec.apart is not None,
        Wishful.EXCLUSIVE: spec.exclusive,
        Wishful.NODE_LABELS: bool(spec.node_labels),
    }
    return tuple(wish for wish, is_there in has.items() if is_there)
