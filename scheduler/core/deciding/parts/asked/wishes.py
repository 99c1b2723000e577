"""What users change of a job that exists."""

from dataclasses import replace

from scheduler.core.model.change import JobRevised, PriorityChanged, ReplicasWished, StopWished, WorkersWished
from scheduler.core.model.job import Job, Wish

JobWish = StopWished | ReplicasWished | JobRevised | PriorityChanged | WorkersWished


def as_wished(job: Job, wished: JobWish) -> Job:
    """Return a job as its user wants it from now on."""
    match wished:
        case StopWished():
            return replace(job, wish=Wish.STOP)
        case ReplicasWished(replicas=replicas):
            return replace(job, replicas=replicas)
        case JobRevised(spec=spec, revision=revision):
            return replace(job, spec=spec, revision=revision)
        case PriorityChanged(priority=priority):
            return job.with_priority(priority)
        case WorkersWished(workers=workers):
            return job.with_workers(workers)
