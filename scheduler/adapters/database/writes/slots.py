"""The device slots of some nodes: who may have which, worked out in memory and written with guards."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.fleet import device_slots
from scheduler.adapters.database.transaction import Row, Transaction
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.identifiers import AttemptId, ChipName, NodeId
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI

Slot = tuple[NodeId, int]

_NOT_HELD_WHOLE = select(device_slots).where(
    device_slots.c.node_id.in_(LISTED), device_slots.c.holder_attempt.is_(None)
)
_THIS_SLOT = (
    device_slots.c.node_id == bindparam("of_node"),
    device_slots.c.slot == bindparam("of_slot"),
    device_slots.c.chip == bindparam("of_chip"),
)
_TAKE_WHOLE = (
    update(device_slots)
    .where(*_THIS_SLOT, device_slots.c.used_milli == 0)
    .values(used_milli=WHOLE_DEVICE_MILLI, holder_attempt=bindparam("attempt"))
)
_FREE_WHOLE = (
    update(device_slots)
    .where(*_THIS_SLOT, device_slots.c.holder_attempt == bindparam("attempt"))
    .values(used_milli=0, holder_attempt=None)
)
_TAKE_SHARE = (
    update(device_slots)
    .where(*_THIS_SLOT, device_slots.c.holder_attempt.is_(None))
    .where(device_slots.c.used_milli + bindparam("milli") <= WHOLE_DEVICE_MILLI)
    .where(device_slots.c.used_memory_mib + bindparam("memory") <= device_slots.c.memory_mib)
    .values(
        used_milli=device_slots.c.used_milli + bindparam("milli"),
        used_memory_mib=device_slots.c.used_memory_mib + bindparam("memory"),
    )
)
_FREE_SHARE = (
    update(device_slots)
    .where(*_THIS_SLOT, device_slots.c.holder_attempt.is_(None))
    .where(device_slots.c.used_milli >= bindparam("milli"), device_slots.c.used_memory_mib >= bindparam("memory"))
    .values(
        used_milli=device_slots.c.used_milli - bindparam("milli"),
        used_memory_mib=device_slots.c.used_memory_mib - bindparam("memory"),
    )
)


@dataclass(slots=True)
class _Part:
    """Some or all of one device: 1,000 thousandths are a whole one."""

    milli: int = 0
    memory_mib: int = 0
    """Memory of shares; a whole device comes with its memory."""


@dataclass(slots=True)
class _Device:
    """One device that nobody holds whole, and what is left of it."""

    chip: ChipName
    left: _Part


class Slots:
    """The devices of some nodes that nobody holds whole; what was taken here is written by `save`."""

    def __init__(self, transaction: Transaction, node_ids: Iterable[NodeId]) -> None:
        self._transaction = transaction
        self._devices: dict[Slot, _Device] = {}
        self._rests: Counter[tuple[NodeId, ChipName]] = Counter()
        self._taken: list[tuple[AttemptId, Allocation]] = []
        for row in rows_listed(transaction.connection, _NOT_HELD_WHOLE, node_ids):
            left = _Part(WHOLE_DEVICE_MILLI - row.used_milli, row.memory_mib - row.used_memory_mib)
            self._devices[row.node_id, row.slot] = _Device(row.chip, left)
            self._rests[row.node_id, row.chip] += _rest(left.milli)

    def missing(self, ranks: Sequence[Allocation]) -> str | None:
        """Return why these ranks together cannot have their slots; None where they can."""
        for (node, slot, chip), asked in _asked(ranks).items():
            device = self._devices.get((node, slot))
            if device is None or device.chip != chip:
                return f"slot {slot} of {node} is no free {chip}"
            if asked.milli > device.left.milli:
                return f"slot {slot} of {node} has {device.left.milli} thousandths left, {asked.milli} are asked"
            if asked.memory_mib > device.left.memory_mib:
                return f"slot {slot} of {node} has {device.left.memory_mib} MiB left, {asked.memory_mib} are asked"
        return None

    def rests_after(self, ranks: Sequence[Allocation]) -> Counter[tuple[NodeId, ChipName]]:
        """Return what shared devices will have left, in thousandths, once ranks that miss nothing have their slots.

        By node and chip type, of those that the ranks are on. No whole device can be made of these rests, and no
        other device's share.
        """
        rests: Counter[tuple[NodeId, ChipName]] = Counter()
        for (node, slot, _), asked in _asked(ranks).items():
            device = self._devices[node, slot]
            rests[node, device.chip] += _rest(device.left.milli - asked.milli) - _rest(device.left.milli)
        for place in rests:
            rests[place] += self._rests[place]
        return rests

    def take(self, attempt: AttemptId, ranks: Sequence[Allocation]) -> None:
        """Take the slots of ranks that miss nothing."""
        self._rests.update({place: rest - self._rests[place] for place, rest in self.rests_after(ranks).items()})
        for (node, slot, _), asked in _asked(ranks).items():
            left = self._devices[node, slot].left
            left.milli -= asked.milli
            left.memory_mib -= asked.memory_mib
        self._taken += [(attempt, rank) for rank in ranks]

    def save(self) -> None:
        """Write what was taken, guarded once more by the database itself. Raises LostRace."""
        self._transaction.execute_guarded(_TAKE_WHOLE, _rows(self._taken, shared=False))
        self._transaction.execute_guarded(_TAKE_SHARE, _rows(self._taken, shared=True))


def free_slots(transaction: Transaction, held: Sequence[tuple[AttemptId, Allocation]]) -> None:
    """Give back the slots of ranks of attempts. Raises LostRace."""
    transaction.execute_guarded(_FREE_WHOLE, _rows(held, shared=False))
    transaction.execute_guarded(_FREE_SHARE, _rows(held, shared=True))


def _rest(milli: int) -> int:
    """Return what is left of a device if it is shared; an untouched one is nobody's rest."""
    return milli % WHOLE_DEVICE_MILLI


def _asked(ranks: Iterable[Allocation]) -> dict[tuple[NodeId, int, ChipName | None], _Part]:
    """Return what ranks hold of each device, added up."""
    parts: dict[tuple[NodeId, int, ChipName | None], _Part] = defaultdict(_Part)
    for rank in ranks:
        for slot in rank.slots:
            part = parts[rank.node, slot, rank.chip]
            part.milli += rank.share_milli or WHOLE_DEVICE_MILLI
            part.memory_mib += rank.share_memory_mib
    return parts


def _rows(held: Iterable[tuple[AttemptId, Allocation]], *, shared: bool) -> list[Row]:
    """Return the parameters of the statements about whole devices, or of those about shares."""
    rows: list[Row] = []
    for attempt, rank in held:
        if bool(rank.share_milli) is shared:
            what: Row = {"milli": rank.share_milli, "memory": rank.share_memory_mib} if shared else {"attempt": attempt}
            rows += [{"of_node": rank.node, "of_slot": slot, "of_chip": rank.chip, **what} for slot in rank.slots]
    return rows
