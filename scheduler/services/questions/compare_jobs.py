"""Why one job was placed before another one, answered from what was kept with its first attempt."""

from scheduler.core.deciding.ordering.comparing import Contender, compare
from scheduler.core.model.asking.comparison import Comparison
from scheduler.ports.views import JobView
from scheduler.services.follow_changes import FollowedState


def compare_jobs(followed: FollowedState, job: JobView, other: JobView) -> Comparison:
    """Return why a job was placed before another one, or that it was not; the queues' tree is that of today."""
    followed.follow()
    with followed.hold() as state:
        path = state.order.shares.queues.path
        one, two = (_contender(view, path(view.job.queue)) for view in (job, other))
    return compare(one, two)


def _contender(view: JobView, path: tuple[str, ...]) -> Contender:
    first = min(view.attempts, key=lambda attempt: (attempt.placed_at, attempt.id), default=None)
    return Contender(
        view.job.id,
        path,
        view.job.spec.priority,
        view.job.submitted_at,
        None if first is None else first.placed_at,
        None if first is None else first.grounds,
    )
