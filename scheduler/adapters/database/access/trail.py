"""The audit trail on a database."""

from typing import Any

from sqlalchemy import Select, select

from scheduler.adapters.database.engine import Engines
from scheduler.adapters.database.reads.rows import AnyRow
from scheduler.adapters.database.schema.audit import audit_entries, audit_head
from scheduler.adapters.database.writer import Writer
from scheduler.core.model.access.audit import Act, Actor, AuditEntry, Outcome
from scheduler.ports.records.audit import AuditFilter, ChainCheck

_PER_READ = 1_000
_CHAIN = select(audit_entries).order_by(audit_entries.c.number)


class DatabaseAuditTrail:
    """Who changed what (ports.records.audit). Any method may raise StorageUnavailable."""

    def __init__(self, engines: Engines, writer: Writer) -> None:
        self._engines = engines
        self._writer = writer

    def entries(self, where: AuditFilter, *, before: int | None, limit: int) -> list[AuditEntry]:
        """Return entries newest first, those numbered below `before`."""
        asked = _matching(where).order_by(audit_entries.c.number.desc()).limit(limit)
        if before is not None:
            asked = asked.where(audit_entries.c.number < before)
        with self._engines.read() as connection:
            return [_entry(row) for row in connection.execute(asked)]

    def check(self) -> ChainCheck:
        """Walk through the whole chain."""
        count, broken = 0, None
        seal: str | None = None
        number: int | None = None
        with self._engines.read() as connection:
            head = connection.execute(select(audit_head.c.last, audit_head.c.sha256)).one()
            while True:
                asked = _CHAIN if number is None else _CHAIN.where(audit_entries.c.number > number)
                found = [_entry(row) for row in connection.execute(asked.limit(_PER_READ))]
                for entry in found:
                    # The oldest one follows what was forgotten: its own word is all there is.
                    follows = number is None or (entry.number == number + 1 and entry.previous_sha256 == seal)
                    if broken is None and not (follows and entry.is_genuine()):
                        broken = entry.number
                    number, seal = entry.number, entry.sha256
                count += len(found)
                if len(found) < _PER_READ:
                    break
        if broken is None and number is not None and (number, seal) != (head.last, head.sha256):
            broken = number + 1  # the newest ones are missing
        return ChainCheck(count, broken, head.last, head.sha256)

    def note(self, actor: Actor, act: Act) -> None:
        """Write an entry soon, and wait for nothing."""
        self._writer.post(lambda transaction: transaction.audit(act), actor)


def _matching(where: AuditFilter) -> Select[Any]:
    asked = select(audit_entries)
    equal = {
        audit_entries.c.tenant: where.tenant,
        audit_entries.c.actor: where.actor,
        audit_entries.c.operation: where.operation,
        audit_entries.c.object_kind: where.object_kind,
        audit_entries.c.object_name: where.object_name,
    }
    for column, value in equal.items():
        if value is not None:
            asked = asked.where(column == value)
    if where.since is not None:
        asked = asked.where(audit_entries.c.at >= where.since)
    if where.until is not None:
        asked = asked.where(audit_entries.c.at < where.until)
    return asked


def _entry(row: AnyRow) -> AuditEntry:
    return AuditEntry(**{**row._asdict(), "outcome": Outcome(row.outcome)})
