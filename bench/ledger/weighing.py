"""A process that holds a state and says how much memory it takes."""

import gc
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.kubernetes.children import answer_questions
from bench.ledger.asking import Case, spec
from bench.ledger.population import CHIPS, CLUSTER_NAME, TENANTS, make_attempt, make_group, make_job, make_nodes
from scheduler.adapters.database.documents import FOREIGN_USE, JOB_SPEC, PAIRS, SLOTS, TOPOLOGY
from scheduler.adapters.database.reads.rows import allocation_of, job_of
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.group import Group, State
from scheduler.core.model.job import Job
from scheduler.core.model.node import LOCAL_KIND, Cluster, Node
from scheduler.core.model.resources import MAIN_ROLE, WorkerShape

ONE_DEVICE = WorkerShape(devices=1, cpu_milli=8_000, memory_mib=65_536)
MOST_SHOWN = 25
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def weigh(question: dict[str, Any]) -> dict[str, Any]:
    """Answer {"nodes": count, "jobs": how many, "held": whether they hold a device, "traced": see below}.

    The answer names the `bytes` that the state takes: by how much the process grew or, where it is traced, what
    Python allocated, and then also the `lines` of code that allocated most.
    """
    _state(nodes=16, jobs=16, is_held=True)  # what the first state takes besides is not of its nodes
    gc.collect()
    if question.get("traced"):
        tracemalloc.start()
    before = _resident_bytes()
    state = _state(nodes=question["nodes"], jobs=question["jobs"], is_held=question["held"])
    gc.collect()
    if not question.get("traced"):
        found: dict[str, Any] = {"bytes": _resident_bytes() - before}
    else:
        lines = tracemalloc.take_snapshot().statistics("lineno")[:MOST_SHOWN]
        shown = [f"{line.size} bytes, {line.count} objects: {line.traceback}" for line in lines]
        found = {"bytes": tracemalloc.get_traced_memory()[0], "lines": shown}
        tracemalloc.stop()
    assert len(state.jobs) == question["jobs"]
    return found


def _state(*, nodes: int, jobs: int, is_held: bool) -> SchedulerState:
    state = SchedulerState.from_parts(
        clusters=[Cluster(CLUSTER_NAME, LOCAL_KIND)],
        nodes=map(_node_as_read, make_nodes(nodes)),
        jobs=map(_job_as_read, _jobs(jobs)),
        groups=_groups(jobs, State.RUNNING if is_held else State.QUEUED),
        attempts=map(_attempt, _jobs(jobs), make_nodes(nodes)) if is_held else (),
    )
    for job in state.jobs if not is_held else ():
        state.request(job)
    return state


def _jobs(count: int) -> Iterator[Job]:
    for number in range(count):
        chip = CHIPS[number // len(TENANTS) % len(CHIPS)]
        yield make_job(number, TENANTS[number % len(TENANTS)], spec(Case("train", shape=ONE_DEVICE), chip))


def _job_as_read(job: Job) -> Job:
    row: Any = SimpleNamespace(
        id=_fresh(job.id),
        tenant=_fresh(job.tenant),
        spec=JOB_SPEC.encode(job.spec),
        submitted_by=_fresh(job.submitted_by),
        submitted_at=datetime.fromisoformat(job.submitted_at.isoformat()),
        wish=_fresh(job.wish),
        replicas=job.replicas,
        revision=job.revision,
        traceparent=job.traceparent,
    )
    return job_of(row)


def _groups(count: int, state: State) -> Iterator[Group]:
    for job in _jobs(count):
        group = make_group(job, state)
        yield replace(group, id=_fresh(group.id), job_id=_fresh(group.job_id))


def _attempt(job: Job, node: Node) -> Attempt:
    row: Any = SimpleNamespace(
        rank=0,
        node_id=_fresh(node.id),
        chip=_fresh(node.devices[0].chip),
        slots=SLOTS.encode((0,)),
        cpu_milli=int(str(ONE_DEVICE.cpu_milli)),
        memory_mib=int(str(ONE_DEVICE.memory_mib)),
        counted=0,
        share_milli=0,
        share_memory_mib=0,
        compute_milli=int(str(312_000)),
        pods=1,
        role=_fresh(MAIN_ROLE),
        since=1,
        number=None,
    )
    return make_attempt(job, (allocation_of(row),))


def _node_as_read(node: Node) -> Node:
    """Return a node as it comes from the database: every column is an object of its own."""
    return replace(
        node,
        cluster=_fresh(node.cluster),
        name=_fresh(node.name),
        devices=tuple(replace(group, chip=_fresh(group.chip)) for group in node.devices),
        topology=TOPOLOGY.decode(TOPOLOGY.encode(node.topology)),
        labels=PAIRS.decode(PAIRS.encode(node.labels)),
        note="",
        tenant=None if node.tenant is None else _fresh(node.tenant),
        foreign=FOREIGN_USE.decode(FOREIGN_USE.encode(node.foreign)),
    )


def _fresh(text: str) -> str:
    return text.encode().decode()


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


if __name__ == "__main__":
    answer_questions(weigh)
