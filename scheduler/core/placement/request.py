"""What placement is asked: a job's wishes about where, worked out once per job."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from scheduler.core.ledger.states.demand import NO_LIMIT, Demand, demand_of
from scheduler.core.model.sharing.queue import COMPUTE
from scheduler.core.model.topology import NODE, Apart, Closeness, Spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.core.model.identifiers import ChipName, ClusterName, TenantName
    from scheduler.core.model.job import Choice, Job, Option, Part
    from scheduler.core.model.sharing.queue import QueueName


@dataclass(frozen=True, slots=True, eq=False)
class PartRequest:
    """One part of a gang as demands."""

    part: Part
    demand: Demand
    """Of one of its workers."""
    together: Demand
    """Of all of them on one node."""
    units: int = 0
    """Of COMPUTE, that one device counts as."""


@dataclass(frozen=True, slots=True, eq=False)
class OptionRequest:
    """One whole gang that would satisfy the job."""

    number: int
    """Which of the job's options it is, from 1."""
    parts: tuple[PartRequest, ...]
    devices_milli: tuple[tuple[ChipName, int], ...]
    """What the gang holds of each chip type, in thousandths of devices; each type once."""
    charge_milli: tuple[tuple[ChipName, int], ...] = ()
    """What counts against quotas: the same, and what it is of COMPUTE."""
    compute_milli: int = 0
    """What it is of COMPUTE, in thousandths of units."""


@dataclass(frozen=True, slots=True, eq=False)
class GangRequest:
    """All that decides where a gang of a job may be. Jobs that ask for the same share one, see `request_of`."""

    tenant: TenantName
    queue: QueueName
    """Whose quotas count."""
    options: tuple[OptionRequest, ...]
    choice: Choice
    closeness: Closeness
    spread: Spread | None
    """Over a level above `node`: over nodes it is part of the demands."""
    apart: Apart | None
    is_exclusive: bool
    node_labels: tuple[tuple[str, str], ...]
    without: tuple[ClusterName, ...]
    """Clusters that must not be used."""
    chips: frozenset[ChipName | None]
    """The chip types of any part of any option; None: of workers without devices."""
    least: tuple[OptionRequest, ...]
    """The options of which one has to fit: of an elastic gang those with the fewest workers, of any other all."""
    measured: tuple[tuple[ChipName, int], ...] = ()
    """Of which chip types its family's speed says what a device counts as of COMPUTE, and what."""


RequestKey = tuple[object, ...]
NO_RATES: Mapping[ChipName, int] = MappingProxyType({})
"""Devices that count for nothing."""


def request_key(job: Job) -> RequestKey:
    """Return what the request of a job is made of: equal for jobs that ask for the same."""
    spec = job.spec
    wishes = (spec.choice, spec.closeness, spec.spread, spec.apart, spec.exclusive, spec.node_labels)
    return (job.tenant, job.queue, spec.options(), *wishes, spec.objecting_clusters)


def request_of(
    job: Job, rates: Mapping[ChipName, int] = NO_RATES, own: Mapping[ChipName, int] = NO_RATES
) -> GangRequest:
    """Return what a job asks of placement.

    `rates` are the units of COMPUTE that its devices count as, and `own` those of them that are its family's.
    """
    spec = job.spec
    on_nodes = spec.spread is not None and spec.spread.level == NODE
    most_per_node = spec.spread.most if spec.spread is not None and on_nodes else NO_LIMIT
    options = tuple(
        _option(option, number, spec.node_labels, rates, is_exclusive=spec.exclusive, most_per_node=most_per_node)
        for number, option in enumerate(spec.options(), start=1)
    )
    chips = frozenset(part.part.chip for option in options for part in option.parts)
    return GangRequest(
        tenant=job.tenant,
        queue=job.queue,
        options=options,
        choice=spec.choice,
        closeness=spec.closeness,
        spread=None if on_nodes else spec.spread,
        apart=spec.apart,
        is_exclusive=spec.exclusive,
        node_labels=spec.node_labels,
        without=spec.objecting_clusters,
        chips=chips,
        least=tuple(each for each in options if spec.elastic is None or each.parts[0].part.workers == spec.sizes[-1]),
        measured=tuple((chip, units) for chip, units in own.items() if chip in chips),
    )


def _option(
    option: Option,
    number: int,
    labels: tuple[tuple[str, str], ...],
    rates: Mapping[ChipName, int],
    *,
    is_exclusive: bool,
    most_per_node: int,
) -> OptionRequest:
    parts = []
    devices_milli: dict[ChipName, int] = {}
    compute_milli = 0
    for part in option:
        chip, shape, workers = part.chip, part.shape, part.workers
        if chip is not None:
            devices_milli[chip] = devices_milli.get(chip, 0) + workers * shape.devices_milli
        units = 0 if chip is None else rates.get(chip, 0)
        compute_milli += units * workers * shape.devices_milli
        one, together = (
            demand_of(chip, shape, labels, is_exclusive=is_exclusive, most_per_node=most_per_node, together=count)
            for count in (1, workers)
        )
        parts.append(PartRequest(part, one, together, units))
    devices = tuple(devices_milli.items())
    charge = (*devices, (COMPUTE, compute_milli)) if compute_milli else devices
    return OptionRequest(number, tuple(parts), devices, charge, compute_milli)
