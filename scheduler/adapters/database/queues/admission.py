"""Whether a queue takes a job: whose it is, how many wait in it, and how urgent they may be."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from scheduler.adapters.database.queues.reading import read_paths, read_within
from scheduler.adapters.database.reads.listed import LISTED, rows_listed
from scheduler.adapters.database.schema.work import QUEUED, jobs
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.queue import QueueName
from scheduler.core.queueing.tree import QueueTree
from scheduler.ports.journal import Rejected, Rejection

_WAITING = (
    select(jobs.c.queue, func.sum(jobs.c.replicas).label("waiting"))
    .where(jobs.c.queue.in_(LISTED), QUEUED)
    .group_by(jobs.c.queue)
)


class Admission:
    """What some queues, and those that they are in, take; kept up to date as jobs are written."""

    def __init__(self, connection: Connection, names: Iterable[QueueName]) -> None:
        self._tree = QueueTree(read_paths(connection, names))
        capped = [name for name, queue in self._tree.queues.items() if queue.caps.most_waiting is not None]
        self._waiting: Counter[QueueName] = Counter()
        """How many wait in queues of which only so many may, with all that is in them."""
        within = read_within(connection, capped)
        listed = sorted({name for names in within.values() for name in names})
        waiting = {row.queue: int(row.waiting) for row in rows_listed(connection, _WAITING, listed)}
        for top, inner in within.items():
            self._waiting[top] = sum(waiting.get(name, 0) for name in inner)

    def refusal(self, job: Job) -> Rejected | None:
        """Return why a job may not wait where it is to, None where it may."""
        queue = self._tree.queues.get(job.queue)
        if queue is None or queue.tenant != job.tenant:
            return Rejected(Rejection.UNKNOWN_QUEUE, job.queue)
        for name in self._tree.path(job.queue):
            most = self._tree.queues[name].caps.most_waiting
            if most is not None and self._waiting[name] + job.replicas > most:
                return Rejected(Rejection.QUEUE_FULL, f"{most} in {name}")
        return self.too_urgent(job.queue, job.spec.priority)

    def too_urgent(self, queue: QueueName, priority: int) -> Rejected | None:
        """Return that a job may not have a priority in a queue, None where it may."""
        for name in self._tree.path(queue) if queue in self._tree.queues else ():
            highest = self._tree.queues[name].caps.highest_priority
            if highest is not None and priority > highest:
                return Rejected(Rejection.TOO_URGENT, f"{highest} in {name}")
        return None

    def enter(self, job: Job) -> None:
        """Count that a job waits."""
        for name in self._tree.path(job.queue):
            self._waiting[name] += job.replicas
