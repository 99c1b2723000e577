"""The order of the queue."""

from datetime import datetime

from scheduler.core.model.group import Group
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import Job

QueueKey = tuple[int, datetime, JobId, int]


def queue_key(job: Job, group: Group) -> QueueKey:
    """Return what a group is sorted by, first in the queue smallest; no two groups have the same.

    Higher priority goes first, then what was submitted earlier, then the smaller job id and group index.
    """
    return (-job.spec.priority, job.submitted_at, job.id, group.index)
