"""Who and where in one step: whether a job may run on one of its options, and if not, all that blocks it."""

from dataclasses import dataclass

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.job import Job
from scheduler.core.model.reason import BackingOff, NeverFits, NoCluster, QuotaExceeded, Reason, TooFewFree
from scheduler.core.placement.gang import place
from scheduler.core.placement.request import Placement, PlacementRequest
from scheduler.core.placement.room import Survey
from scheduler.core.queueing.quota import over_quota

_MOST_BINDING_FIRST = (BackingOff, QuotaExceeded, NoCluster, TooFewFree, NeverFits)


@dataclass(frozen=True, slots=True)
class Blocked:
    """No option of a job can be had now."""

    reasons: tuple[Reason, ...]
    """Most binding first, each once."""
    is_final: bool
    """True where every option needs more than there is, whoever holds it, and more will not come by itself."""


def find_place(state: SchedulerState, survey: Survey, job: Job) -> Placement | Blocked:
    """Return a place on the job's first option that its quota and the free capacity allow.

    `survey` is of the state's ledger; both are only read.
    """
    without = job.spec.objecting_clusters
    options = [tuple((part.chip or "", part.workers) for part in option) for option in job.spec.options()]
    reasons: list[Reason] = []
    possible = False
    for choice, workers in enumerate(options, start=1):
        devices = tuple((chip, count * job.spec.shape.devices) for chip, count in workers)
        over = over_quota(state.ledger, state.quotas, tenant=job.tenant, devices=devices)
        found = place(survey, PlacementRequest(job.spec.shape, workers, choice, len(options), without))
        if isinstance(found, Placement) and not over:
            return found
        lacking = () if isinstance(found, Placement) else found
        reasons += [*over, *lacking]
        possible = possible or not any(isinstance(reason, NeverFits) for reason in lacking)
    return Blocked(most_binding_first(reasons), is_final=not possible and state.has_all_nodes)


def most_binding_first(reasons: list[Reason]) -> tuple[Reason, ...]:
    """Return each reason once: back-off, then quota, then capacity; the job's liking decides among equals."""
    return tuple(sorted(dict.fromkeys(reasons), key=lambda reason: _MOST_BINDING_FIRST.index(type(reason))))
