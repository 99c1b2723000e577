from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scheduler.adapters.database.documents import JOB_SPEC, decode_body, encode_body
from scheduler.adapters.database.reads.sharing import one, one_of_each_in, one_spec, slots_of, spec_of, topology_of
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.change import ChangeBody, GroupPlaced, JobSubmitted, QueueQuotaLifted
from scheduler.core.model.group import Group, State
from scheduler.core.model.job import AnyOf, CommandProgram, Job, JobKind, JobSpec
from scheduler.core.model.resources import WorkerShape

SPEC = JobSpec(
    name="train",
    kind=JobKind.TRAINING,
    workers=2,
    shape=WorkerShape(4, 32_000, 262_144),
    chips=AnyOf(("h100", "a100")),
    program=CommandProgram(("python", "train.py")),
    environment=(("SEED", "1"),),
)
GROUP = Group("a-g0", "a", 0, State.PLACED, version=2, attempts=1, failures=0)


def read_again(body: ChangeBody) -> ChangeBody:
    return one_of_each_in(decode_body(*encode_body(body)))


def test_equal_specs_are_one_however_they_are_read() -> None:
    jobs = [Job(name, "alpha", SPEC, "ann", datetime(2026, 1, 1, tzinfo=UTC)) for name in ("a", "b")]
    submitted = [read_again(JobSubmitted(job, ())) for job in jobs]
    assert [body.job for body in submitted if isinstance(body, JobSubmitted)] == jobs
    specs = {id(body.job.spec) for body in submitted if isinstance(body, JobSubmitted)}
    assert specs == {id(spec_of(JOB_SPEC.encode(SPEC)))}


def test_specs_that_differ_share_what_is_equal_in_them() -> None:
    one_job, other = (spec_of(JOB_SPEC.encode(replace(SPEC, name=name))) for name in ("first", "second"))
    assert (one_job.name, other.name) == ("first", "second")
    assert one_job.shape is other.shape
    assert one_job.chips is other.chips
    assert one_job.program is other.program
    assert one_job.environment is other.environment


@pytest.fixture(autouse=True)
def nothing_was_read_before() -> None:
    """What other tests read is forgotten piece by piece, so that equal parts of it are no longer one."""
    for remembered in (one, one_spec, spec_of, slots_of, topology_of):
        remembered.cache_clear()


def test_workers_placed_alike_share_what_they_hold() -> None:
    alike = [Allocation(rank, f"mixed/n{rank}", "h100", (0, 1), 64_000, 524_288) for rank in range(2)]
    body = read_again(GroupPlaced(GROUP, "a-g0-a1", tuple(alike), ()))
    assert isinstance(body, GroupPlaced)
    first, second = body.allocations
    assert [first, second] == alike
    assert first.slots is second.slots is slots_of("[0,1]")
    assert first.memory_mib is second.memory_mib
    assert first.chip is second.chip


def test_equal_values_of_other_types_are_not_taken_for_each_other() -> None:
    assert [type(one(value)) for value in (1, True, 1.0)] == [int, bool, float]


def test_what_nobody_keeps_stays_as_it_was_read() -> None:
    body = QueueQuotaLifted("alpha", "h100")
    assert one_of_each_in(body) is body
