"""The table of throughputs on a database."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, delete, select, tuple_

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.reads.listed import LISTED, in_chunks, rows_listed
from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.usage import throughputs
from scheduler.adapters.database.transaction import Draft, Row, Transaction
from scheduler.adapters.database.usage.measured_chips import lock_chips
from scheduler.adapters.database.writer import Writer
from scheduler.core.model.access.audit import Act, Actor
from scheduler.core.model.change import SpeedsChanged
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.measuring.throughput import (
    MOST_THROUGHPUTS,
    JobFamily,
    Measured,
    Speed,
    Throughput,
    learnt,
    speed_of,
)
from scheduler.ports.journal import Guard, unguarded

_KEY = tuple_(throughputs.c.tenant, throughputs.c.family, throughputs.c.chip)
_ALL = select(throughputs).order_by(throughputs.c.tenant, throughputs.c.family, throughputs.c.chip)
_LISTED = select(throughputs).where(_KEY.in_(LISTED))
_OLDEST = (
    select(throughputs)
    .where(throughputs.c.set_per_s.is_(None))
    .order_by(throughputs.c.at.desc(), throughputs.c.tenant, throughputs.c.family, throughputs.c.chip)
)


class DatabaseThroughputs:
    """Fulfils ports.records.throughputs.Throughputs."""

    def __init__(self, engines: Engines, writer: Writer, actor: Actor | None = None) -> None:
        self._engines = engines
        self._writer = writer
        self._actor = actor

    def acting(self, actor: Actor) -> Self:
        """Return the table whose edits are in somebody's name."""
        return type(self)(self._engines, self._writer, actor)

    def all(self, tenant: TenantName | None) -> list[Throughput]:
        """Return all of one tenant's families, or of every tenant."""
        with self._engines.read() as connection:
            return read_throughputs(connection, tenant)

    def get(self, family: JobFamily, chip: ChipName) -> Throughput | None:
        """Return one of them."""
        with self._engines.read() as connection:
            return _find(connection, [(family, chip)]).get((family, chip))

    def set(
        self, family: JobFamily, chip: ChipName, units_per_s: float, at: datetime, guard: Guard = unguarded
    ) -> Throughput:
        """Say how fast a family is on a chip type."""

        def write(transaction: Transaction) -> Throughput:
            lock_chips(transaction.connection, [chip])
            known = _find(transaction.connection, [(family, chip)]).get((family, chip))
            guard(known)
            new = known or Throughput(family, chip, None, 0, None, 0, at)
            new = replace(new, set_per_s=units_per_s, version=new.version + 1, at=at)
            transaction.insert_or_replace(throughputs, [_row(new)])
            _tell(transaction, at, known, new)
            _note_speeds(transaction, at, [(known, new)])
            return new

        return self._writer.call(write, self._actor)

    def remove(self, family: JobFamily, chip: ChipName, at: datetime, guard: Guard = unguarded) -> bool:
        """Forget what was said and what was measured."""

        def write(transaction: Transaction) -> bool:
            lock_chips(transaction.connection, [chip])
            known = _find(transaction.connection, [(family, chip)]).get((family, chip))
            if known is None:
                return False
            guard(known)
            _drop(transaction, [known])
            _tell(transaction, at, known, None)
            _note_speeds(transaction, at, [(known, None)])
            return True

        return self._writer.call(write, self._actor)

    def learn(self, measured: Sequence[Measured], at: datetime, epoch: int) -> bool:
        """Take in what was reported; False for an old epoch."""

        def write(transaction: Transaction) -> bool:
            if not transaction.leads(epoch):
                return False
            chips = lock_chips(transaction.connection, (one.chip for one in measured))
            new = [one for one in measured if one.chip in chips]
            known = _find(transaction.connection, ((one.family, one.chip) for one in new))
            before = [known.get((one.family, one.chip)) for one in new]
            after = [learnt(there, one, at) for there, one in zip(before, new, strict=True)]
            transaction.insert_or_replace(throughputs, list(map(_row, after)))
            oldest = _too_many(transaction) if None in before else []
            _drop(transaction, oldest)
            _note_speeds(transaction, at, [*zip(before, after, strict=True), *((one, None) for one in oldest)])
            return True

        return self._writer.call(write)


def read_throughputs(connection: Connection, tenant: TenantName | None) -> list[Throughput]:
    """Return all of one tenant's families, or of every tenant."""
    asked = _ALL if tenant is None else _ALL.where(throughputs.c.tenant == tenant)
    return list(map(_throughput, connection.execute(asked)))


def _find(
    connection: Connection, keys: Iterable[tuple[JobFamily, ChipName]]
) -> dict[tuple[JobFamily, ChipName], Throughput]:
    listed = [(family.tenant, family.name, chip) for family, chip in keys]
    found = map(_throughput, rows_listed(connection, _LISTED, listed))
    return {(one.family, one.chip): one for one in found}


def _too_many(transaction: Transaction) -> list[Throughput]:
    """Return those that were longest not heard of, where there are more than are kept."""
    return list(map(_throughput, transaction.connection.execute(_OLDEST.offset(MOST_THROUGHPUTS))))


def _drop(transaction: Transaction, those: Sequence[Throughput]) -> None:
    statement = delete(throughputs).where(_KEY.in_(LISTED))
    for chunk in in_chunks([(one.family.tenant, one.family.name, one.chip) for one in those]):
        transaction.connection.execute(statement, {LISTED.key: chunk})


def _tell(transaction: Transaction, at: datetime, before: Throughput | None, after: Throughput | None) -> None:
    family, chip = next((one.family, one.chip) for one in (after, before) if one is not None)
    name = f"{family.tenant}/{family.name}/{chip}"
    transaction.audit(Act("throughput", name, family.tenant, at, _told(before), _told(after)))


def _note_speeds(
    transaction: Transaction, at: datetime, changes: Iterable[tuple[Throughput | None, Throughput | None]]
) -> None:
    """Add to the feed what is decided on of these changes, tenant by tenant; what changed too little is not there."""
    found: dict[TenantName, dict[tuple[JobFamily, ChipName], Speed]] = {}
    for before, after in changes:
        was = None if before is None else speed_of(before)
        now = speed_of(after) if after is not None else None if was is None else replace(was, per_s=None, is_set=False)
        if now is not None and now != was:
            found.setdefault(now.family.tenant, {})[now.family, now.chip] = now
    for tenant, speeds in sorted(found.items()):
        transaction.add(Draft(at, SpeedsChanged(tuple(speeds.values())), tenant=tenant))


def _told(one: Throughput | None) -> dict[str, float | None] | None:
    return None if one is None else {"set_per_s": one.set_per_s, "version": one.version}


def _row(one: Throughput) -> Row:
    return {
        "tenant": one.family.tenant,
        "family": one.family.name,
        "chip": one.chip,
        "measured_per_s": one.measured_per_s,
        "reports": one.reports,
        "set_per_s": one.set_per_s,
        "version": one.version,
        "at": one.at,
    }


def _throughput(row: AnyRow) -> Throughput:
    family = JobFamily(row.tenant, row.family)
    return Throughput(family, row.chip, row.measured_per_s, row.reports, row.set_per_s, row.version, row.at)
