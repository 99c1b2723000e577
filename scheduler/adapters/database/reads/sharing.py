"""Equal parts of what is read are one object, so that many alike jobs take little more memory than one.

Only what was read lately is remembered: what is read later is equal all the same, and shared among its own.
"""

from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, TypeVar

from scheduler.adapters.database.documents import JOB_SPEC, SLOTS, TOPOLOGY
from scheduler.core.model.change import ChangeBody, GroupPlaced, GroupResized, JobSubmitted
from scheduler.core.model.job import JobSpec
from scheduler.core.model.topology import Topology

T = TypeVar("T")

MOST_PARTS = 8_192
MOST_SPECS = 2_048


@lru_cache(maxsize=MOST_PARTS, typed=True)
def one(value: T) -> T:
    """Return the one object for equal values; for what may be large or comes often, and cannot change."""
    return value


def with_one_of_each_part(value: T) -> T:
    """Return an equal dataclass whose fields are shared."""
    kept: Any = value
    equal: T = replace(kept, **{part.name: one(getattr(kept, part.name)) for part in fields(kept)})
    return equal


@lru_cache(maxsize=MOST_SPECS)
def one_spec(spec: JobSpec) -> JobSpec:
    """Return the one object for equal specs; those that differ share what is equal in them."""
    return with_one_of_each_part(spec)


@lru_cache(maxsize=MOST_SPECS)
def spec_of(text: str) -> JobSpec:
    """Return the one object for the spec that was encoded."""
    return one_spec(JOB_SPEC.decode(text))


@lru_cache(maxsize=MOST_PARTS)
def slots_of(text: str) -> tuple[int, ...]:
    """Return the one object for the slots that were encoded."""
    slots: tuple[int, ...] = one(SLOTS.decode(text))
    return slots


@lru_cache(maxsize=MOST_PARTS)
def topology_of(text: str) -> Topology:
    """Return the one object for the topology that was encoded."""
    return TOPOLOGY.decode(text)


def one_of_each_in(body: ChangeBody) -> ChangeBody:
    """Return a change's body of which what a follower keeps for long is shared."""
    match body:
        case JobSubmitted(job):
            return replace(body, job=replace(job, spec=one_spec(job.spec)))
        case GroupPlaced(allocations=allocations) | GroupResized(allocations=allocations):
            return replace(body, allocations=tuple(map(with_one_of_each_part, allocations)))
        case _:
            return body
