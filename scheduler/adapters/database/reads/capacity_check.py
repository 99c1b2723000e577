"""Comparing the guarded counters with what live attempts hold, which they must add up to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, false, select

from scheduler.adapters.database.reads.amounts import Purse, purses_of, resources_of
from scheduler.adapters.database.reads.listed import LISTED, in_chunks, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow, allocation_of
from scheduler.adapters.database.schema.fleet import device_slots, node_resources, nodes
from scheduler.adapters.database.schema.sharing import queue_usage
from scheduler.adapters.database.schema.work import HELD, OPEN, allocations, attempts, groups, jobs
from scheduler.core.model.identifiers import NodeId
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.ports.views import (
    MOST_CAPACITY_ERRORS,
    AllocationError,
    CapacityError,
    CounterError,
    QuotaError,
    SlotError,
    SlotUse,
)

_NODES = select(nodes.c.id).order_by(nodes.c.id)
_COUNTERS = select(node_resources).where(node_resources.c.node_id.in_(LISTED))
_SLOTS = select(device_slots).where(device_slots.c.node_id.in_(LISTED), device_slots.c.used_milli > 0)
# What an earlier generation holds is held for workers that are too many, and not yet proven gone.
_IS_LIVE = attempts.c.ended_at.is_(None) & ((attempts.c.generation == allocations.c.generation) | allocations.c.held)
_ALLOCATIONS = (
    select(allocations, jobs.c.queue, _IS_LIVE.label("is_live"))
    .join(attempts, attempts.c.id == allocations.c.attempt_id)
    .join(groups, groups.c.id == attempts.c.group_id)
    .join(jobs, jobs.c.id == groups.c.job_id)
)
_HELD = _ALLOCATIONS.where(allocations.c.node_id.in_(LISTED), HELD)
_OPEN_ATTEMPTS = select(attempts.c.id).where(OPEN)
_NOT_HELD = _ALLOCATIONS.where(
    allocations.c.attempt_id.in_(LISTED),
    allocations.c.held == false(),
    attempts.c.generation == allocations.c.generation,
)

_NOTHING = SlotUse(0, 0, None)


def read_capacity_errors(connection: Connection) -> list[CapacityError]:
    """Return where counters differ from what live attempts hold: the first 100, by node, queues at the end."""
    return list(islice(_errors(connection), MOST_CAPACITY_ERRORS))


def _errors(connection: Connection) -> Iterator[CapacityError]:
    """Yield differences, looking at some thousands of nodes at a time, so that memory stays small."""
    purses: Counter[Purse] = Counter()
    not_held: dict[NodeId, list[AnyRow]] = defaultdict(list)
    # The attempts are asked for first: in one statement, SQLite would walk through all allocations there ever were.
    for row in rows_listed(connection, _NOT_HELD, connection.execute(_OPEN_ATTEMPTS).scalars().all()):
        not_held[row.node_id].append(row)
    for ids in in_chunks(connection.execute(_NODES).scalars().all()):
        rows = rows_listed(connection, _HELD, ids) + [row for name in ids for row in not_held[name]]
        yield from (AllocationError(row.attempt_id, row.rank, row.held) for row in rows if row.held != row.is_live)
        live = [row for row in rows if row.is_live]
        for row in live:
            purses.update(purses_of(row.queue, [allocation_of(row)]))
        yield from _counter_errors(connection, ids, live)
        yield from _slot_errors(connection, ids, live)
    yield from _quota_errors(connection, purses)


def _counter_errors(connection: Connection, ids: Sequence[NodeId], live: Iterable[AnyRow]) -> Iterator[CounterError]:
    held = resources_of(map(allocation_of, live))
    counted = {(row.node_id, row.resource): row.used for row in rows_listed(connection, _COUNTERS, ids)}
    for node, resource in sorted(held.keys() | counted.keys()):
        pair = counted.get((node, resource), 0), held[node, resource]
        if pair[0] != pair[1]:
            yield CounterError(node, resource, *pair)


def _slot_errors(connection: Connection, ids: Sequence[NodeId], live: Iterable[AnyRow]) -> Iterator[SlotError]:
    held: dict[tuple[NodeId, int], SlotUse] = {}
    for row in live:
        rank = allocation_of(row)
        holder = None if rank.share_milli else row.attempt_id
        for slot in rank.slots:
            before = held.get((rank.node, slot), _NOTHING)
            milli = before.milli + (rank.share_milli or WHOLE_DEVICE_MILLI)
            memory_mib = before.memory_mib + rank.share_memory_mib
            held[rank.node, slot] = SlotUse(milli, memory_mib, holder or before.holder)
    counted = {
        (row.node_id, row.slot): SlotUse(row.used_milli, row.used_memory_mib, row.holder_attempt)
        for row in rows_listed(connection, _SLOTS, ids)
    }
    for node, slot in sorted(held.keys() | counted.keys()):
        pair = counted.get((node, slot), _NOTHING), held.get((node, slot), _NOTHING)
        if pair[0] != pair[1]:
            yield SlotError(node, slot, *pair)


def _quota_errors(connection: Connection, held: Counter[Purse]) -> Iterator[QuotaError]:
    counted = {(row.queue, row.chip): row.devices_milli for row in connection.execute(select(queue_usage))}
    for queue, chip in sorted(held.keys() | counted.keys()):
        pair = counted.get((queue, chip), 0), held[queue, chip]
        if pair[0] != pair[1]:
            yield QuotaError(queue, chip, *pair)
