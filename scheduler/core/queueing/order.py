"""The order within a queue."""

from datetime import datetime, timedelta

from scheduler.core.model.group import Group
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import Job

QueueKey = tuple[float, float, datetime, JobId, int]
DEFAULT_AGEING_S = 600.0


def queue_key(job: Job, group: Group, *, ageing_s: float = DEFAULT_AGEING_S, level: float = 0.0) -> QueueKey:
    """Return what a group is sorted by, first in the queue smallest; no two groups have the same.

    A lower level goes first. Within a level each point of priority counts as though the job had been submitted
    `ageing_s` seconds earlier, so that nobody waits for ever behind what comes later; with 0 higher priority goes
    before all else. Then the smaller job id and group index.
    """
    priority = job.spec.priority
    if not ageing_s:
        return (-priority, level, job.submitted_at, job.id, group.index)
    moment = job.submitted_at - timedelta(seconds=priority * ageing_s) if priority else job.submitted_at
    return (0, level, moment, job.id, group.index)
