"""Reservations as promises that can be kept in a database and told, and back."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from scheduler.core.deciding.backfilling.ends import ExpectedEnd
from scheduler.core.deciding.backfilling.reservations import CPU, MEMORY, PODS, Reservation
from scheduler.core.model.waiting.promise import AwaitedEnd, NodeRoom, Promise

if TYPE_CHECKING:
    from scheduler.core.deciding.backfilling.reservations import Sums
    from scheduler.core.ledger.ledger import Ledger
    from scheduler.core.ledger.states.node_entry import NodeEntry
    from scheduler.core.model.identifiers import AttemptId


def written_down(reservation: Reservation) -> Promise:
    """Return a reservation by the names of what it is about."""
    gives: defaultdict[AttemptId, list[NodeRoom]] = defaultdict(list)
    for entry in sorted(reservation.awaited, key=_id):
        for name, sums in reservation.awaited[entry].items():
            gives[name].append(_room(entry, sums))
    ends = sorted(reservation.expected.items(), key=lambda row: (row[1].at, row[0]))
    return Promise(
        reservation.group,
        reservation.begins,
        reservation.ends,
        tuple(_room(entry, reservation.needs[entry]) for entry in sorted(reservation.needs, key=_id)),
        tuple(AwaitedEnd(name, end.at, end.basis, tuple(gives[name])) for name, end in ends),
    )


def taken_over(promise: Promise, ledger: Ledger) -> Reservation | None:
    """Return a promise as a reservation in a ledger, None where one of its nodes is not there any more."""
    entries = ledger.inventory.entries
    if not all(room.node in entries for room in promise.needs):
        return None
    awaited: defaultdict[NodeEntry, dict[AttemptId, Sums]] = defaultdict(dict)
    for end in promise.awaited:
        for room in end.gives:
            if room.node in entries:
                awaited[entries[room.node]][end.name] = _sums(room)
    needs = {entries[room.node]: _sums(room) for room in promise.needs}
    expected = {end.name: ExpectedEnd(end.at, end.basis) for end in promise.awaited}
    return Reservation(promise.group, promise.begins, promise.ends, needs, dict(awaited), expected)


def _id(entry: NodeEntry) -> str:
    return entry.id


def _room(entry: NodeEntry, sums: Sums) -> NodeRoom:
    chips = sorted(of for of in sums if of not in (CPU, MEMORY, PODS))
    devices = tuple((chip, sums[chip]) for chip in chips if sums[chip])
    return NodeRoom(entry.id, devices, sums.get(CPU, 0), sums.get(MEMORY, 0), sums.get(PODS, 0))


def _sums(room: NodeRoom) -> Sums:
    return {**dict(room.devices), CPU: room.cpu_milli, MEMORY: room.memory_mib, PODS: room.pods}
