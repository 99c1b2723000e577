"""Gangs that ask for a place, and places in short."""

from typing import Any

from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import AnyOf, ExactMix
from scheduler.core.model.resources import WorkerShape
from scheduler.core.placement.gang import place
from scheduler.core.placement.placement import GangPlace
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.request import GangRequest, request_of
from tests.builders.core import make_allocation, make_hold, make_job, make_ledger, make_node, make_shape

ONE_DEVICE = make_shape(1, cpu_milli=0, memory_mib=0)
NO_DEVICE = make_shape(0)
HALF_A_DEVICE = make_shape(cpu_milli=0, memory_mib=0, share_milli=500)

SMALL_RACKS = (("a", "r1"), ("b", "r1"), ("c", "r2"), ("d", "r2"))
"""Names of nodes, and the racks in which they stand."""


def ask(
    workers: int = 1,
    *,
    chips: AnyOf | ExactMix | str = "h100",
    shape: WorkerShape = ONE_DEVICE,
    **wishes: Any,
) -> GangRequest:
    """Return what a job asks of placement; `wishes` are those of `make_job`."""
    return request_of(make_job(1, chips, workers=workers, shape=shape, **wishes))


def find(ledger: Ledger, request: GangRequest, *, avoid: tuple[str, ...] = (), option: int = 1) -> GangPlace | None:
    """Return a place for one of the gang's options."""
    return place(Placer(ledger), request, request.options[option - 1], avoid)


def found(ledger: Ledger, request: GangRequest, *, avoid: tuple[str, ...] = (), option: int = 1) -> GangPlace:
    """Return a place that there must be."""
    place_found = find(ledger, request, avoid=avoid, option=option)
    assert place_found is not None, "there is no place"
    return place_found


def seats(place_found: GangPlace | None) -> dict[str, int] | None:
    """Return how many workers sit on which node, nodes as they were seated; None where there is no place."""
    if place_found is None:
        return None
    counts: dict[str, int] = {}
    for allocation in place_found.allocations:
        name = allocation.node.partition("/")[2]
        counts[name] = counts.get(name, 0) + 1
    return counts


def seats_of(ledger: Ledger, request: GangRequest, *, avoid: tuple[str, ...] = ()) -> dict[str, int] | None:
    """Return how many workers of the first option get seats on which node; None where there is no place."""
    return seats(find(ledger, request, avoid=avoid))


def slots(place_found: GangPlace) -> list[tuple[str, tuple[int, ...]]]:
    """Return node and slots of every rank."""
    return [(held.node.partition("/")[2], held.slots) for held in place_found.allocations]


def take(ledger: Ledger, request: GangRequest, attempt: str = "a1") -> GangPlace:
    """Give a gang the place that there must be for it."""
    place_found = found(ledger, request)
    ledger.apply(Seat(attempt, request.tenant, place_found.seatings))
    return place_found


def two_racks() -> Ledger:
    """Return two racks of two nodes with two devices each, of which one device is held."""
    ledger = make_ledger(*(make_node(f"{rack}{at}", {"h100": 2}, rack=rack) for rack in ("r1", "r2") for at in (1, 2)))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/r11")))
    return ledger
