"""What would follow if something were otherwise, answered from the followed state, which stays as it is."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.deciding.preempting.rules import NO_PREEMPTION, Rules
from scheduler.core.model.asking.consequences import Consequences, JobConsequence
from scheduler.core.model.asking.suppositions import NothingSupposed, Supposition
from scheduler.core.model.job import Job
from scheduler.core.supposing.comparing import consequences_of, job_consequence_of
from scheduler.core.supposing.rehearsing import rehearse
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Rejected, Rejection
from scheduler.services.collecting import nothing_collected
from scheduler.services.follow_changes import FollowedState
from scheduler.services.questions.try_job import refusal_of


@dataclass(frozen=True, slots=True)
class Answered:
    """What would follow, as of a change number."""

    consequences: Consequences | None
    """None where nothing but a job was asked about."""
    job: JobConsequence | None
    """None where no job was asked about."""
    change: int
    age_s: float


class Supposer:
    """Answers one question after the other. Safe to use from several threads."""

    def __init__(self, followed: FollowedState, clock: Clock, rules: Rules = NO_PREEMPTION) -> None:
        """`rules` say who is stopped for whom: those of whoever decides."""
        self._followed = followed
        self._clock = clock
        self._rules = rules
        self._asking = threading.Lock()

    def suppose(self, suppositions: Sequence[Supposition], job: Job | None = None) -> Answered | Rejected:
        """Return what would follow, and what would become of a job then; or why that would not be accepted.

        The state is held while it is read, and let go of while waits are compared. Raises CannotSuppose,
        ContradictoryQuota, BadTree, StorageUnavailable.
        """
        if not suppositions and job is None:
            raise NothingSupposed("nothing is supposed")
        with self._asking:
            self._followed.follow()
            with self._followed.hold() as state, nothing_collected():
                if job is not None:
                    if job.tenant not in state.sharing.tree.queues:
                        return Rejected(Rejection.UNKNOWN_TENANT, job.tenant)
                    if (refused := refusal_of(state, job.tenant, job.spec, 1)) is not None:
                        return refused
                rehearsed = rehearse(state, suppositions, self._clock.now(), rules=self._rules, job=job)
                change, age_s = self._followed.change, self._followed.age_s
            return Answered(consequences_of(rehearsed), job_consequence_of(rehearsed), change, age_s)
