"""Accept an array: one submission for many alike jobs, all of which are durable before the answer, or none is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduler.core.model.job import ArrayMember, ArrayWish, Job, member_name
from scheduler.ports.clock import Clock, IdentifierSource
from scheduler.ports.cluster import Clusters
from scheduler.ports.journal import Journal, Outcome, Rejected, Rejection, SubmitJob, Written
from scheduler.services.submit_job import MOST_LIVE_JOBS, Accepted, NotOffered, Submission, draft_job


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The tenant may not have so many more unfinished jobs; nothing was written."""

    left: int
    """So many it may have."""


def submit_array(
    journal: Journal,
    clock: Clock,
    identifiers: IdentifierSource,
    submission: Submission,
    wish: ArrayWish,
    *,
    clusters: Clusters = (),
) -> Accepted | NotOffered | NoRoom:
    """Write all jobs of an array in one transaction, or nothing where one of them is refused.

    The answer is about its first job; where it is Written, its change is that of the last one. The submission's key
    stands for the whole array. Raises StorageUnavailable; then the client may repeat the call under its key.
    """
    draft = draft_job(clock, identifiers, submission, clusters=clusters)
    if isinstance(draft, NotOffered):
        return draft
    members = _members(draft, wish, identifiers)
    items = [SubmitJob(job, None if number else submission.key, MOST_LIVE_JOBS) for number, job in enumerate(members)]
    outcome = _of_all(journal.write_array(items))
    return outcome if isinstance(outcome, NoRoom) else Accepted(members[0], outcome)


def _members(draft: Job, wish: ArrayWish, identifiers: IdentifierSource) -> list[Job]:
    """Return the jobs of an array, which has the id of the draft: it sorts before theirs."""
    spec, members = draft.spec, []
    for index in range(wish.count):
        place = ArrayMember(draft.id, spec.name, index, wish.count, wish.most_at_once)
        mine = replace(spec, name=member_name(spec.name, index), array=place)
        members.append(replace(draft, id=identifiers.new_job_id(), spec=mine))
    return members


def _of_all(outcomes: Sequence[Outcome]) -> Outcome | NoRoom:
    """Return what became of the array as a whole."""
    for written, outcome in enumerate(outcomes):
        if isinstance(outcome, Rejected):
            return NoRoom(written) if outcome.why is Rejection.TOO_MANY_JOBS else outcome
    first, last = outcomes[0], outcomes[-1]
    if isinstance(first, Written) and isinstance(last, Written):
        return replace(first, change=last.change)
    return first
