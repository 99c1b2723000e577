"""Caps and quotas hold for servers that are given more replicas, and for elastic jobs that get more workers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.core.deciding.elastic.growing import COOL_DOWN_S
from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.change import GroupMoved, ReplicasWished
from scheduler.core.model.decision import Placed, Resized
from scheduler.core.model.group import State, first_group
from scheduler.core.model.identifiers import attempt_id
from scheduler.core.model.job import Job, JobKind, Serving
from scheduler.core.model.node import Cluster
from scheduler.core.model.reason import QueueIsFull
from scheduler.core.model.resources import Elastic
from scheduler.core.model.sharing.queue import Queue, QueueCaps, QueueQuota, Shares
from tests.builders.core import NOON, as_change, make_allocation, make_group, make_job, make_node

LATER = NOON + timedelta(seconds=COOL_DOWN_S)


def elastic(number: int = 1, *, workers: int = 8, user: str = "someone") -> Job:
    job = make_job(number, workers=workers, user=user)
    return replace(job, spec=replace(job.spec, elastic=Elastic(1, 1)))


def server(number: int = 1, *, user: str = "someone") -> Job:
    job = make_job(number, user=user)
    return replace(job, spec=replace(job.spec, kind=JobKind.INFERENCE, serving=Serving(8000, "/ready")), replicas=1)


def running(
    *jobs: Job, caps: QueueCaps | None = None, quotas: tuple[QueueQuota, ...] = (), waiting: tuple[Job, ...] = ()
) -> SchedulerState:
    """Return a state in which each of the jobs runs with one worker, in the only queue."""
    groups = [make_group(job, State.RUNNING) for job in jobs]
    attempts = [
        Attempt(
            attempt_id(group.id, 1),
            group.id,
            1,
            1,
            State.RUNNING,
            None,
            (make_allocation((slot,)),),
            (),
            (),
            NOON,
            NOON,
        )
        for slot, group in enumerate(groups)
    ]
    return SchedulerState.from_parts(
        clusters=[Cluster("mixed", "local")],
        nodes=[make_node("n1")],
        shares=Shares((Queue("org"), Queue("alpha", "org", "alpha", caps=caps or QueueCaps())), quotas),
        jobs=[*jobs, *waiting],
        groups=[*groups, *map(make_group, waiting)],
        attempts=attempts,
    )


def scale(state: SchedulerState, job: Job, replicas: int) -> None:
    added = tuple(first_group(job.id, index) for index in range(1, replicas))
    state.apply(as_change(ReplicasWished(job.id, replicas, "ada", added)))


def placed(passes: Passes, state: SchedulerState) -> int:
    return sum(isinstance(decision, Placed) for decision in passes.decide(state, NOON))


@pytest.mark.parametrize(
    "caps", [QueueCaps(most_running=3), QueueCaps(most_running_per_user=3)], ids=["of the queue", "of each user"]
)
def test_a_server_that_is_given_more_replicas_runs_no_more_of_them_than_its_queue_may(caps: QueueCaps) -> None:
    job, passes = server(), Passes()
    state = running(job, caps=caps)
    assert placed(passes, state) == 0
    scale(state, job, 6)
    assert placed(passes, state) == 2
    assert placed(Passes(), state) == 2


def test_a_replica_that_the_cap_holds_back_says_so() -> None:
    job = server()
    state = running(job, caps=QueueCaps(most_running=1))
    scale(state, job, 2)
    assert explain(state, f"{job.id}-g1", NOON).reasons == (QueueIsFull("alpha", 1),)


def test_a_cap_of_a_user_counts_replicas_and_other_jobs_together_and_holds_up_nobody_else() -> None:
    job = server(user="ada")
    state = running(
        job, caps=QueueCaps(most_running_per_user=2), waiting=(make_job(2, user="ada"), make_job(3, user="bob"))
    )
    scale(state, job, 4)
    users = [
        state.jobs[state.groups[one.group].job_id].submitted_by
        for one in Passes().decide(state, NOON)
        if isinstance(one, Placed)
    ]
    assert sorted(users) == ["ada", "bob"]


def test_a_replica_held_back_runs_once_another_has_ended() -> None:
    job, passes = server(), Passes()
    state = running(job, caps=QueueCaps(most_running=1))
    scale(state, job, 2)
    assert placed(passes, state) == 0
    (live,) = state.live.values()
    gone = replace(live.group, state=State.CANCELLED, version=live.group.version + 1)
    state.apply(as_change(GroupMoved(gone, live.attempt)))
    assert placed(passes, state) == 1


def test_replicas_take_no_more_of_a_quota_than_is_left() -> None:
    job = server()
    state = running(job, quotas=(QueueQuota("org", "h100", limit=3),))
    scale(state, job, 6)
    assert placed(Passes(), state) == 2


def grown(state: SchedulerState) -> list[Resized]:
    return [decision for decision in Passes().decide(state, LATER) if isinstance(decision, Resized)]


def test_an_elastic_job_grows_no_further_than_the_quota_of_any_queue_that_it_is_in() -> None:
    (more,) = grown(running(elastic(), quotas=(QueueQuota("org", "h100", limit=5),)))
    assert len(more.allocations) == 5


def test_two_that_grow_in_one_pass_stay_within_one_quota_together() -> None:
    found = grown(running(elastic(1, workers=3), elastic(2), quotas=(QueueQuota("alpha", "h100", limit=5),)))
    assert sorted(len(one.allocations) for one in found) == [2, 3]


def test_a_job_that_grows_is_still_one_job_for_the_caps() -> None:
    state = running(elastic(), caps=QueueCaps(most_running=1, most_running_per_user=1))
    (more,) = grown(state)
    assert len(more.allocations) == 8
    state = running(elastic(workers=4), caps=QueueCaps(most_running=1), waiting=(make_job(2),))
    decisions = Passes().decide(state, LATER)
    assert [type(decision) for decision in decisions] == [Resized]
