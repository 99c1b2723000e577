"""The table of profiles: what is kept of how long layers of models take on which chip type."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, Self

from scheduler.core.model.access.audit import Actor
from scheduler.core.model.identifiers import AttemptId, TenantName
from scheduler.core.model.measuring.layers import LayerProfile, MeasuredLayers, Profile, ProfileKey
from scheduler.core.model.measuring.throughput import JobFamily
from scheduler.ports.journal import Guard, Rejected, unguarded

CLOSEST_REPORTS_S = 10.0
"""What is reported of the same layers sooner than this after the last report is let go."""


class ProfileTable(Protocol):
    """Any call may raise StorageUnavailable."""

    def acting(self, actor: Actor) -> Self:
        """Return the table whose edits are in somebody's name: the audit trail tells of them."""
        ...

    def all(self, tenant: TenantName | None) -> list[Profile]:
        """Return all of one tenant's, or of every tenant where it is None.

        By family, chip type, tensor-parallel degree and micro-batch.
        """
        ...

    def of(self, family: JobFamily) -> list[Profile]:
        """Return all of one family, in the same order."""
        ...

    def get(self, family: JobFamily, key: ProfileKey) -> Profile | None:
        """Return one of them."""
        ...

    def set(
        self, family: JobFamily, key: ProfileKey, times: LayerProfile, at: datetime, guard: Guard = unguarded
    ) -> Profile:
        """Say how long layers take, whatever is measured; raises what `guard` does of what is there."""
        ...

    def remove(self, family: JobFamily, key: ProfileKey, at: datetime, guard: Guard = unguarded) -> bool:
        """Forget what was said and what was measured; False where there was nothing. Raises what `guard` does."""
        ...

    def learn(
        self, attempt: AttemptId, generation: int, measured: Sequence[MeasuredLayers], at: datetime
    ) -> list[Profile] | Rejected:
        """Take in what an attempt measured; return what changed by it.

        Of chip types that nobody knows nothing is kept, nor of what was measured less than CLOSEST_REPORTS_S ago.
        Refused: NOT_FOUND, STALE_ATTEMPT (closed, or another generation).
        """
        ...
