from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from api.text.changes import change_text
from scheduler.core.model.attempt import Checkpoint, Progress, ResizeStep, WorkerRemark
from scheduler.core.model.change import (
    ChangeBody,
    CheckpointSaved,
    ChipDefined,
    ChipGroupRemoved,
    ChipGroupSet,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    GroupResized,
    JobRevised,
    JobSubmitted,
    NodeSeen,
    PriorityChanged,
    ProfilesChanged,
    ProgressReported,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueRemoved,
    QueueSet,
    ReplicasWished,
    ReservationDropped,
    ReservationMade,
    ResizeAdvanced,
    SpeedsChanged,
    StopWished,
    TenantCreated,
    Together,
    WorkersNoted,
    WorkersWished,
)
from scheduler.core.model.decision import ResizeCause
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.measuring.layers import LayerProfile, LayerSpeed, ProfileKey
from scheduler.core.model.measuring.throughput import JobFamily, Speed
from scheduler.core.model.node import Cluster
from scheduler.core.model.reason import NoCluster
from scheduler.core.model.sharing.eviction import Eviction, EvictionCause, GivenTo
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueQuota
from scheduler.core.model.waiting.promise import DropReason, NodeRoom, Promise
from tests.builders.api import chip_type
from tests.builders.core import make_allocation, make_group, make_job, make_node

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = make_job()
GROUP = make_group(JOB, State.PLACED)
NEW = replace(make_allocation((0,)), since=2)
GIVEN = GivenTo("other-g0", "beta", EvictionCause.LOAN, 0, 0, 2_000)
EVICTION = Eviction("other-g0", "beta", EvictionCause.PRIORITY, 5, 0, 1_500, unsaved_s=730)
ALL: list[tuple[ChangeBody, str]] = [
    (JobSubmitted(JOB, (GROUP,)), "train was submitted by someone: 1 worker with 1 device on h100"),
    (StopWished(JOB.id, "ada"), "ada asked for it to stop"),
    (ReplicasWished(JOB.id, 3, "ada", (GROUP,)), "ada asked for 3 replicas"),
    (JobRevised(JOB.id, JOB.spec, 2, "ada"), "ada gave it version 2; its replicas are replaced"),
    (
        GroupMoved(make_group(JOB, State.RUNNING), "a", together=Together(State.RUNNING, 1)),
        "replica 0: all its workers run",
    ),
    (WorkersWished(JOB.id, 2, "ada"), "ada asked for 2 workers at most"),
    (
        GroupResized(GROUP, "a", 2, (make_allocation((0,)),), ResizeCause.OTHERS, given_to=GIVEN),
        (
            "it is to go on with 1 worker: 2 devices of it go to job other of tenant beta, "
            "for they were lent while nobody waited for them (generation 2)"
        ),
    ),
    (
        GroupResized(GROUP, "a", 2, (make_allocation((0,)),), ResizeCause.OTHERS),
        "it is to go on with 1 worker: others are to have what it can do without (generation 2)",
    ),
    (
        GroupResized(GROUP, "a", 2, (NEW, replace(NEW, rank=1)), ResizeCause.ROOM),
        "it is to go on with 2 workers, 2 of them new on mixed/n1: there is room for more (generation 2)",
    ),
    (ResizeAdvanced("a", 2, ResizeStep.CALLED), "its new workers run: all are asked to save and to meet anew"),
    (ResizeAdvanced("a", 2, ResizeStep.MET), "its workers met anew and go on as generation 2"),
    (
        ResizeAdvanced("a", 2, ResizeStep.FREED),
        "the workers that are too many are gone, and what they held is free",
    ),
    (PriorityChanged(JOB.id, -3, "ada"), "ada gave it the priority -3"),
    (GroupPlaced(GROUP, "a", (make_allocation((0,)),), ()), "attempt 1 was placed: 1 worker on mixed/n1"),
    (GroupMoved(make_group(JOB, State.RUNNING), "a"), "all its workers run"),
    (
        GroupMoved(make_group(JOB, State.STOPPING), "a", eviction=EVICTION),
        (
            "attempt 1 is being stopped for job other of tenant beta, which has priority 5 over its 0; "
            "about 12 minutes of work on 2 devices was not saved by then; no retry is charged"
        ),
    ),
    (
        WorkersNoted("a", (WorkerRemark(3, "BackOff", NOW), WorkerRemark(None, "quota exceeded", NOW))),
        "worker 3: BackOff; quota exceeded",
    ),
    (
        ProgressReported("a", Progress(10, 60, 2.3104, 51234.4, NOW)),
        "step 10 of 60: loss 2.31, 51,234 tokens per second",
    ),
    (ProgressReported("a", Progress(3, 0, None, 8.0, NOW)), "step 3: no finite loss, 8 tokens per second"),
    (CheckpointSaved("a", Checkpoint(40, NOW)), "step 40 is saved: a retry goes on from there"),
    (ClusterSeen(Cluster("mixed", "local")), "cluster mixed was registered"),
    (NodeSeen(make_node()), "node mixed/n1 is ready with 8 h100"),
    (NodeSeen(replace(make_node(), note="cordoned")), "node mixed/n1 is ready with 8 h100: cordoned"),
    (TenantCreated("demo"), "tenant demo was created"),
    (QueueQuotaSet(QueueQuota("demo", "h100", limit=8)), "queue demo may hold 8 h100 at once"),
    (
        QueueQuotaSet(QueueQuota("demo", "compute", 2, 4, 1, 0)),
        "queue demo is guaranteed 2 compute, may hold 4 compute at once, borrows 1 at most and lends 0 at most",
    ),
    (QueueQuotaSet(QueueQuota("demo", "h100")), "queue demo has no limit on h100"),
    (QueueSet(Queue("demo", "org", weight=3)), "queue demo in queue org has weight 3"),
    (QueueRemoved("demo"), "queue demo was removed"),
    (ChipGroupSet(ChipGroup("fast", ("h100", "h200"))), "h100 and h200 count together as fast"),
    (ChipGroupRemoved("fast"), "the group fast of chip types was removed"),
    (QueueQuotaLifted("demo", "h100"), "queue demo has no quota of h100 any more"),
    (ChipDefined(chip_type("h100")), "chip type h100 was defined: NVIDIA H100"),
    (
        ReservationMade(Promise(GROUP.id, NOW, None, (NodeRoom("mixed/n1"),))),
        "room is kept for it from 2026-01-01 00:00:00 UTC on mixed/n1",
    ),
    (ReservationDropped(GROUP.id, DropReason.NOT_NEEDED), "no room is kept for it any more: it needs none"),
    (
        SpeedsChanged(
            (
                Speed(JobFamily("alpha", "bert"), "h100", 320.0),
                Speed(JobFamily("alpha", "bert"), "t4", 20.0, is_set=True),
                Speed(JobFamily("alpha", "gpt"), "t4", None),
            )
        ),
        (
            "family bert is measured to do 320 units a second on each h100, "
            "family bert is said to do 20 units a second on each t4 and "
            "how fast family gpt is on t4 is not known any more"
        ),
    ),
    (
        ProfilesChanged(
            (
                LayerSpeed(JobFamily("alpha", "llama"), ProfileKey("h100", 8, 2), LayerProfile(0.0121, 0.0246)),
                LayerSpeed(JobFamily("alpha", "llama"), ProfileKey("t4", 1, 1), None),
            )
        ),
        (
            "a layer of family llama takes 12.1 and 24.6 ms on 8 h100 with a micro-batch of 2 and "
            "how long a layer of family llama takes on 1 t4 with a micro-batch of 1 is not known any more"
        ),
    ),
]


@pytest.mark.parametrize(("body", "want"), ALL)
def test_a_change_is_said_in_a_sentence(body: ChangeBody, want: str) -> None:
    assert change_text(body, None) == want


def test_every_kind_of_change_has_a_sentence() -> None:
    assert {type(body) for body, _ in ALL} == set(get_args(ChangeBody))


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_sentence(state: State) -> None:
    assert change_text(GroupMoved(make_group(JOB, state), None), None)


def test_what_many_workers_have_in_common_is_said_once() -> None:
    remarks = tuple(WorkerRemark(rank, "Failed: no such image", NOW) for rank in range(1000))

    assert change_text(WorkersNoted("a", remarks), None) == "workers 0, 1, 2, 3 and 996 more: Failed: no such image"


def test_many_different_remarks_are_one_short_line() -> None:
    remarks = tuple(WorkerRemark(rank, f"{rank} " + "x" * 498, NOW) for rank in range(100))

    text = change_text(WorkersNoted("a", remarks), None)

    assert len(text) < 700
    assert text.endswith("…; and 97 more")


def test_a_move_says_its_reasons_and_what_the_cluster_said() -> None:
    refused = GroupMoved(make_group(JOB, State.FAILED), None, reasons=(NoCluster(),))
    assert change_text(refused, None) == "it was refused: no cluster that would run it has reported its nodes yet"
    stopped = replace(make_group(JOB, State.STOPPING), stop_reason=StopReason.LOST)
    stopping = GroupMoved(stopped, "a", detail="pod gone")
    want = "it is being stopped: a worker vanished without an exit code; no retry is charged (pod gone)"
    assert change_text(stopping, None) == want
