"""Which attempts belong to jobs with which labels: what gangs keep apart from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.core.model.identifiers import AttemptId, TenantName
    from scheduler.core.model.job import Job

Label = tuple[str, str]


class Neighbours:
    """Attempts that hold something, by the tenant and the labels of their jobs."""

    def __init__(self) -> None:
        self._attempts: dict[tuple[TenantName, Label], set[AttemptId]] = {}

    def place(self, job: Job, attempt: AttemptId) -> None:
        """Take in an attempt."""
        for label in job.spec.labels:
            self._attempts.setdefault((job.tenant, label), set()).add(attempt)

    def leave(self, job: Job, attempt: AttemptId) -> None:
        """Let an attempt go."""
        for label in job.spec.labels:
            attempts = self._attempts.get((job.tenant, label), set())
            attempts.discard(attempt)
            if not attempts:
                self._attempts.pop((job.tenant, label), None)

    def with_labels(self, tenant: TenantName, labels: Iterable[Label]) -> set[AttemptId]:
        """Return the attempts of a tenant whose jobs have all of the labels."""
        found = [self._attempts.get((tenant, label), set()) for label in labels]
        return set.intersection(*found) if found else set()
