"""How a row becomes a value of the model."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from sqlalchemy import Connection, Row, select

from scheduler.adapters.database.documents import EVICTION, GIVEN_TO, GROUNDS, NOTES, WORDS
from scheduler.adapters.database.reads.heartbeats import heartbeats_of
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.reads.sharing import one, slots_of, spec_of
from scheduler.adapters.database.schema.work import allocations, workers
from scheduler.core.model.attempt import (
    FIRST_GENERATION,
    NEVER_RESIZED,
    Allocation,
    Attempt,
    Progress,
    Resizing,
    WorkerEnd,
    WorkerPhase,
    WorkerRecord,
)
from scheduler.core.model.chip import ChipType
from scheduler.core.model.group import Group, State, StopReason
from scheduler.core.model.identifiers import AttemptId
from scheduler.core.model.job import Job, Wish
from scheduler.core.model.node import Cluster

AnyRow = Row[Any]

_UNHEARD = (None, None)

_WORKERS = select(workers).where(workers.c.attempt_id.in_(LISTED)).order_by(workers.c.attempt_id, workers.c.rank)
_ALLOCATIONS = (
    select(allocations)
    .where(allocations.c.attempt_id.in_(LISTED))
    .order_by(allocations.c.attempt_id, allocations.c.rank)
)


def job_of(row: AnyRow) -> Job:
    """Return the job of a row of `jobs`."""
    return Job(
        id=row.id,
        tenant=one(row.tenant),
        spec=spec_of(row.spec),
        submitted_by=one(row.submitted_by),
        submitted_at=row.submitted_at,
        wish=Wish(row.wish),
        replicas=row.replicas,
        revision=row.revision,
        traceparent=row.traceparent,
    )


def group_of(row: AnyRow) -> Group:
    """Return the group of a row of `groups`."""
    return Group(
        id=row.id,
        job_id=row.job_id,
        index=row.position,
        state=State(row.state),
        version=row.version,
        attempts=row.attempts,
        failures=row.failures,
        stop_reason=StopReason(row.stop_reason) if row.stop_reason else None,
        not_before=row.not_before,
        preemptions=row.preemptions,
    )


def worker_of(row: AnyRow) -> WorkerRecord:
    """Return the record of a row of `workers`."""
    return WorkerRecord(
        rank=row.rank,
        phase=WorkerPhase(row.phase),
        started_at=row.started_at,
        ended_at=row.ended_at,
        exit_code=row.exit_code,
        end=WorkerEnd(row.end) if row.end else None,
        detail=row.detail,
        address=row.address,
    )


def allocation_of(row: AnyRow) -> Allocation:
    """Return the allocation of a row of `allocations`."""
    return Allocation(
        rank=row.rank,
        node=intern(row.node_id),
        chip=one(row.chip),
        slots=slots_of(row.slots),
        cpu_milli=one(row.cpu_milli),
        memory_mib=one(row.memory_mib),
        counted=row.counted,
        share_milli=one(row.share_milli),
        share_memory_mib=one(row.share_memory_mib),
        pods=row.pods,
        role=one(row.role),
        since=row.since,
        number=row.number,
        compute_milli=one(row.compute_milli),
    )


def progress_of(row: AnyRow) -> Progress:
    """Return the report of a row of `progress`."""
    return Progress(step=row.step, steps=row.steps, loss=row.loss, tokens_per_s=row.tokens_per_s, at=row.at)


def chip_of(row: AnyRow) -> ChipType:
    """Return the chip type of a row of `chip_types`."""
    return ChipType(**{**row._asdict(), "estimated_fields": WORDS.decode(row.estimated_fields)})


def cluster_of(row: AnyRow) -> Cluster:
    """Return the cluster of a row of `clusters`."""
    return Cluster(**row._asdict())


def attempts_of(connection: Connection, rows: Iterable[AnyRow]) -> list[Attempt]:
    """Return the attempts of rows of `attempts`, in their order, with what they hold or held and their workers."""
    found = list(rows)
    held = _allocations(connection, {row.id: row.generation for row in found})
    ids = [row.id for row in found]
    known, heard = workers_of(connection, ids), heartbeats_of(connection, ids)
    return [
        Attempt(
            id=row.id,
            group_id=row.group_id,
            number=row.number,
            generation=row.generation,
            state=State(row.state),
            stop_reason=StopReason(row.stop_reason) if row.stop_reason else None,
            allocations=tuple(held[row.id].present),
            notes=NOTES.decode(row.notes),
            workers=known.get(row.id, ()),
            placed_at=row.placed_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            revision=row.revision,
            eviction=EVICTION.decode(row.eviction) if row.eviction else None,
            stop_by=row.stop_by,
            grounds=None if row.grounds is None else GROUNDS.decode(row.grounds),
            heartbeat=heard.get(row.id, _UNHEARD)[0],
            checkpoint=heard.get(row.id, _UNHEARD)[1],
            resizing=held[row.id].resizing(row),
        )
        for row in found
    ]


def workers_of(connection: Connection, attempt_ids: Iterable[AttemptId]) -> dict[AttemptId, tuple[WorkerRecord, ...]]:
    """Return the known workers of attempts in rank order; an attempt without any is absent."""
    known: dict[AttemptId, list[WorkerRecord]] = defaultdict(list)
    for row in rows_listed(connection, _WORKERS, attempt_ids):
        known[row.attempt_id].append(worker_of(row))
    return {attempt: tuple(records) for attempt, records in known.items()}


@dataclass(slots=True)
class _Held:
    """The allocations of one attempt."""

    generation: int
    present: list[Allocation] = field(default_factory=list)
    """Of that generation, in rank order."""
    surplus: list[Allocation] = field(default_factory=list)
    """Still held for workers of earlier ones."""
    last_number: int = 0

    def take(self, row: AnyRow) -> None:
        """Take in a row."""
        found = allocation_of(row)
        self.last_number = max(self.last_number, found.worker)
        if row.generation == self.generation:
            self.present.append(found)
        elif row.held:
            self.surplus.append(found)

    def resizing(self, row: AnyRow) -> Resizing:
        """Return how far the attempt of a row is."""
        if row.generation == FIRST_GENERATION:
            return NEVER_RESIZED
        surplus = sorted(self.surplus, key=lambda held: held.worker)
        given_to = None if row.given_to is None else GIVEN_TO.decode(row.given_to)
        return Resizing(row.called, row.met, tuple(surplus), row.resized_at, self.last_number + 1, given_to)


def _allocations(connection: Connection, generations: dict[AttemptId, int]) -> dict[AttemptId, _Held]:
    """Return the allocations of attempts, each with its generation."""
    found = {attempt: _Held(generation) for attempt, generation in generations.items()}
    for row in rows_listed(connection, _ALLOCATIONS, generations):
        found[row.attempt_id].take(row)
    return found
