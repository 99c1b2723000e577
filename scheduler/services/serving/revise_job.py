"""Give a server a new version of its program."""

from dataclasses import dataclass, fields, replace

from scheduler.core.model.identifiers import TenantName
from scheduler.core.model.job import Job, JobSpec
from scheduler.ports.clock import Clock
from scheduler.ports.cluster import Clusters
from scheduler.ports.journal import Guard, Journal, Outcome, ReviseJob, unguarded
from scheduler.services.submit_job import NotOffered

REPLACEABLE = frozenset({"program", "environment", "image", "secrets", "volumes", "grace_s", "serving"})
"""What a new version may have otherwise. What it asks of nodes stays, and so do its port and its own name."""
_KEPT = frozenset({"replicas", "objecting_clusters", "priority"})
"""Of the present version, whatever the new one says: numbers are changed by themselves, objections asked for anew."""


@dataclass(frozen=True, slots=True)
class AnotherJob:
    """What was handed in differs from the job in more than a version may; nothing was written."""

    fields: tuple[str, ...]
    """Of JobSpec."""


def revise_job(
    journal: Journal,
    clock: Clock,
    job: Job,
    spec: JobSpec,
    *,
    tenant: TenantName | None,
    by: str,
    clusters: Clusters,
    guard: Guard = unguarded,
) -> Outcome | AnotherJob | NotOffered:
    """Write the new version unless the guard stops it, and begin to replace replicas; `job` is what it is a version of.

    Unchanged where it says the same. Refused as STALE_VERSION where somebody else replaced the job meanwhile.
    """
    kept = {name: getattr(job.spec, name) for name in _KEPT}
    wanted = replace(spec, **kept)
    if differing := _differing(job.spec, wanted):
        return AnotherJob(differing)
    revised = replace(job, spec=wanted)
    asked = [cluster for cluster in clusters if cluster.name not in job.spec.objecting_clusters]
    if objections := tuple(said for cluster in asked if (said := cluster.objection(revised)) is not None):
        return NotOffered(objections)
    item = ReviseJob(job.id, tenant, wanted, job.revision, by, clock.now())
    return journal.change(item, guard)


def _differing(old: JobSpec, new: JobSpec) -> tuple[str, ...]:
    names = [one.name for one in fields(JobSpec) if one.name not in REPLACEABLE]
    found = [name for name in names if getattr(old, name) != getattr(new, name)]
    ports = [None if spec.serving is None else spec.serving.port for spec in (old, new)]
    return (*found, *(("port",) if ports[0] != ports[1] else ()))
