"""The table of throughputs: what is kept of how fast jobs are on which chip type."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, Self

from scheduler.core.model.access.audit import Actor
from scheduler.core.model.identifiers import ChipName, TenantName
from scheduler.core.model.measuring.throughput import JobFamily, Measured, Throughput
from scheduler.ports.journal import Guard, unguarded


class Throughputs(Protocol):
    """Any call may raise StorageUnavailable."""

    def acting(self, actor: Actor) -> Self:
        """Return the table whose edits are in somebody's name: the audit trail tells of them."""
        ...

    def all(self, tenant: TenantName | None) -> list[Throughput]:
        """Return all of one tenant's families, or of every tenant where it is None, by family and chip type."""
        ...

    def get(self, family: JobFamily, chip: ChipName) -> Throughput | None:
        """Return one of them."""
        ...

    def set(
        self, family: JobFamily, chip: ChipName, units_per_s: float, at: datetime, guard: Guard = unguarded
    ) -> Throughput:
        """Say how fast a family is on a chip type, whatever is measured; raises what `guard` does of what is there."""
        ...

    def remove(self, family: JobFamily, chip: ChipName, at: datetime, guard: Guard = unguarded) -> bool:
        """Forget what was said and what was measured; False where there was nothing. Raises what `guard` does."""
        ...

    def learn(self, measured: Sequence[Measured], at: datetime, epoch: int) -> bool:
        """Take in what was reported; of chip types that nobody knows nothing is kept. False for an old epoch."""
        ...
