"""An API with 1,024 nodes and 20,000 jobs, written straight into its database: to look at, not to schedule on.

Half of the jobs are one array.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scheduler.adapters.database.documents import JOB_SPEC
from scheduler.adapters.database.schema.work import allocations, attempts, groups, job_chips, jobs
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import attempt_id, group_id
from scheduler.core.model.job import AnyOf, ArrayMember, CommandProgram, JobKind, JobSpec, Wish, member_name
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import RACK, Topology
from tests.builders.api import CHIPS, TENANTS, ApiWorld, open_world

NODES = 1024
NODES_PER_RACK = 16
JOBS = 20_000
RUNNING = 1000
QUEUED = 4000
DEVICES = 8
ARRAY = "00000000000sweep"
MEMBERS = range(9_000, 19_000)
"""The numbers of its jobs: the older ones are over, then some run, and the newer ones wait."""
NOW = datetime.now(UTC)


@contextmanager
def open_many(folder: Path) -> Iterator[ApiWorld]:
    """Give the API; nothing decides or runs."""
    with open_world(folder, nodes=1) as world:
        world.storage.directory.record_nodes("mixed", [_node(number) for number in range(NODES)], NOW)
        rows = [_rows(number) for number in range(JOBS)]
        with world.storage.engines.writing.begin() as connection:
            for table in (jobs, job_chips, groups, attempts, allocations):
                connection.execute(table.insert(), [row[table.name] for row in rows if table.name in row])
        yield world


def job_id(number: int) -> str:
    """Return the id of a job; the greater the newer."""
    return f"{number:016d}"


def _chip(number: int) -> str:
    return CHIPS[number * len(CHIPS) // NODES % len(CHIPS)]


def _node(number: int) -> Node:
    rack = Topology(((RACK, f"r{number // NODES_PER_RACK:02d}"),))
    devices = (DeviceGroup(_chip(number), DEVICES, 81_920),)
    return Node("mixed", f"n{number:04d}", devices, 128_000, 1_048_576, pods=110, topology=rack)


def _state(number: int) -> State:
    if number >= JOBS - QUEUED:
        return State.QUEUED
    if number >= JOBS - QUEUED - RUNNING:
        return State.RUNNING
    return (State.SUCCEEDED, State.FAILED, State.CANCELLED)[number % 3]


def _rows(number: int) -> dict[str, dict[str, Any]]:
    """Return the rows of one job, by table."""
    state, chip = _state(number), _chip(number % NODES)
    array = ArrayMember(ARRAY, "sweep", number - MEMBERS.start, len(MEMBERS)) if number in MEMBERS else None
    spec = JobSpec(
        name=f"job-{number}" if array is None else member_name(array.name, array.index),
        array=array,
        kind=JobKind.TRAINING,
        workers=1,
        shape=WorkerShape(DEVICES, 1000, 4096),
        chips=AnyOf((chip,)),
        program=CommandProgram(("true",)),
        priority=number % 5,
    )
    found = _submitted(number, spec, state) | {"job_chips": {"job_id": job_id(number), "chip": chip}}
    return found | _placed(number, chip) if state is State.RUNNING else found


def _submitted(number: int, spec: JobSpec, state: State) -> dict[str, dict[str, Any]]:
    job, at = job_id(number), NOW - timedelta(seconds=JOBS - number)
    return {
        "jobs": {
            "id": job,
            "tenant": TENANTS[0 if spec.array else number % 2],
            "name": spec.name,
            "kind": spec.kind,
            "workers": 1,
            "retries": 0,
            "spec": JOB_SPEC.encode(spec),
            "submitted_by": "ada",
            "submitted_at": at,
            "wish": Wish.RUN,
            "state": state,
            "array_id": None if spec.array is None else spec.array.array,
            "finished_at": None if state in (State.QUEUED, State.RUNNING) else at,
        },
        "groups": {
            "id": group_id(job, 0),
            "job_id": job,
            "position": 0,
            "state": state,
            "version": 1,
            "attempts": int(state is State.RUNNING),
            "failures": 0,
        },
    }


def _placed(number: int, chip: str) -> dict[str, dict[str, Any]]:
    group = group_id(job_id(number), 0)
    return {
        "attempts": {
            "id": attempt_id(group, 1),
            "group_id": group,
            "number": 1,
            "generation": 1,
            "state": State.RUNNING,
            "notes": "[]",
            "placed_at": NOW,
            "started_at": NOW,
        },
        "allocations": {
            "attempt_id": attempt_id(group, 1),
            "generation": 1,
            "rank": 0,
            "node_id": f"mixed/n{number % NODES:04d}",
            "chip": chip,
            "slots": str(list(range(DEVICES))),
            "cpu_milli": 1000,
            "memory_mib": 4096,
        },
    }
