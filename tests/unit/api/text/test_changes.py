from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from api.text.changes import change_text
from scheduler.core.model.attempt import Checkpoint, Progress, WorkerRemark
from scheduler.core.model.change import (
    ChangeBody,
    CheckpointSaved,
    ChipDefined,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    JobRevised,
    JobSubmitted,
    NodeSeen,
    PriorityChanged,
    ProgressReported,
    QuotaLifted,
    QuotaSet,
    ReplicasWished,
    StopWished,
    TenantCreated,
    Together,
    WorkersNoted,
)
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.node import Cluster
from scheduler.core.model.reason import NoCluster
from scheduler.core.model.tenant import Quota
from tests.builders.api import chip_type
from tests.builders.core import make_allocation, make_group, make_job, make_node

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = make_job()
GROUP = make_group(JOB, State.PLACED)
ALL: list[tuple[ChangeBody, str]] = [
    (JobSubmitted(JOB, (GROUP,)), "train was submitted by someone: 1 worker with 1 device each on h100"),
    (StopWished(JOB.id, "ada"), "ada asked for it to stop"),
    (ReplicasWished(JOB.id, 3, "ada", (GROUP,)), "ada asked for 3 replicas"),
    (JobRevised(JOB.id, JOB.spec, 2, "ada"), "ada gave it version 2; its replicas are replaced"),
    (
        GroupMoved(make_group(JOB, State.RUNNING), "a", together=Together(State.RUNNING, 1)),
        "replica 0: all its workers run",
    ),
    (PriorityChanged(JOB.id, -3, "ada"), "ada gave it the priority -3"),
    (GroupPlaced(GROUP, "a", (make_allocation((0,)),), ()), "attempt 1 was placed: 1 worker on mixed/n1"),
    (GroupMoved(make_group(JOB, State.RUNNING), "a"), "all its workers run"),
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
    (QuotaSet(Quota("demo", "h100", 8)), "tenant demo may hold 8 h100 at once"),
    (QuotaLifted("demo", "h100"), "tenant demo has no limit on h100 any more"),
    (ChipDefined(chip_type("h100")), "chip type h100 was defined: NVIDIA H100"),
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
