"""The audit trail: read by those who watch over the rest. What it tells of is written by the journal and directory.

Both give, by `acting`, a view of themselves whose writes are in somebody's name: each such write and its entry are one
transaction. What the server does by itself is in the change feed, not here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.core.model.access.audit import Act, Actor, AuditEntry
from scheduler.core.model.identifiers import TenantName


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None means any."""

    tenant: TenantName | None = None
    actor: str | None = None
    operation: str | None = None
    object_kind: str | None = None
    object_name: str | None = None
    since: datetime | None = None
    """This moment or later."""
    until: datetime | None = None
    """Before this moment."""


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What became of the trail's chain of seals."""

    entries: int
    """How many were looked at: all there are."""
    first_broken: int | None
    """The number of the first entry that was changed, or that does not follow the one before it; None: all hold."""
    last: int
    """The number of the newest entry, 0 where there is none."""
    last_sha256: str
    """Kept elsewhere, it shows later that nothing up to it was cut off or made anew."""


class AuditTrail(Protocol):
    """Append-only; what is older than the server's setting is forgotten. Any method may raise StorageUnavailable."""

    def entries(self, where: AuditFilter, *, before: int | None, limit: int) -> list[AuditEntry]:
        """Return entries newest first, those numbered below `before`."""
        ...

    def check(self) -> ChainCheck:
        """Walk through the whole chain; takes about a second per 50,000 entries."""
        ...

    def note(self, actor: Actor, act: Act) -> None:
        """Write an entry soon, and wait for nothing; it is lost where the database does not take it."""
        ...
