"""What is said of workers, pod by pod and second by second."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.adapters.kubernetes.configuration.cluster import Deadlines
from scheduler.adapters.kubernetes.decoding import pod_view
from scheduler.adapters.kubernetes.driving.node_health import NodeHealth
from scheduler.adapters.kubernetes.driving.observing import Members
from scheduler.adapters.kubernetes.driving.standings import Standings
from scheduler.adapters.kubernetes.driving.verdicts import Verdicts
from scheduler.adapters.kubernetes.views import Condition, NodeView, PodView
from scheduler.adapters.memory.clock import ManualClock
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase, WorkerRecord
from scheduler.core.model.identifiers import WorkerKey
from tests.unit.adapters.kubernetes.driving.views import (
    ATTEMPT,
    IDENTITY,
    START,
    condition,
    ended,
    node,
    pod,
    running,
    waiting,
)

UNSCHEDULABLE = Condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available", START)


class Nodes:
    def __init__(self) -> None:
        self.is_synced = True
        self.n1: NodeView | None = node()

    def get(self, _: str, /) -> NodeView | None:
        return self.n1


class Stage:
    """Members on a clock of their own; the API confirms every pod as soon as it is asked."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.nodes = Nodes()
        self.standings = Standings()
        self.strikes: list[tuple[str, str]] = []
        self.forgiven: list[str] = []
        self.news = 0
        self.asked: list[PodView] = []
        self.is_answering = True
        health = NodeHealth(
            self.nodes,
            self.clock,
            strike=lambda name, why: self.strikes.append((name, why)),
            forgive=self.forgiven.append,
        )
        verdicts = Verdicts(Deadlines(), health, clock=self.clock, confirm=self._confirm)
        self.members = Members(IDENTITY, self.standings, verdicts, health, clock=self.clock, on_news=self._heard)

    def show(self, before: PodView | None, after: PodView | None) -> None:
        self.members.changed(before, after)

    def after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.members.seen()  # asks for what it is unsure of

    def record(self, rank: int = 0) -> WorkerRecord:
        return next(one.record for one in self.members.seen() if one.key.rank == rank)

    def _confirm(self, view: PodView) -> None:
        self.asked.append(view)
        if self.is_answering:
            self.members.confirmed(view, asked_s=self.clock.monotonic_s())

    def _heard(self) -> None:
        self.news += 1


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_pod_behind_its_gate_is_not_seen(stage: Stage) -> None:
    stage.show(None, pod(is_gated=True, node=""))

    assert stage.members.seen() == []
    assert not stage.members.has_lived(ATTEMPT)


def test_a_gated_pod_of_a_stopped_attempt_is_seen_until_it_is_gone(stage: Stage) -> None:
    gated = pod(is_gated=True, node="")
    stage.show(None, gated)
    stage.standings.bar(ATTEMPT, 1)

    assert stage.record().phase is WorkerPhase.PENDING
    stage.show(gated, None)
    assert stage.members.seen() == []


def test_a_pod_goes_from_pending_to_running_to_its_end(stage: Stage) -> None:
    stage.show(None, pod())
    assert stage.record() == WorkerRecord(0, WorkerPhase.PENDING)

    stage.show(pod(), pod(phase="Running", container=running()))
    assert stage.record() == WorkerRecord(0, WorkerPhase.RUNNING, started_at=START)
    stage.show(pod(), pod(phase="Running", container=running()))
    assert stage.forgiven == ["n1"]  # once: only the start itself speaks for a node

    later = START + timedelta(seconds=5)
    over = pod(phase="Failed", container=ended(3, at=later))
    stage.show(pod(), over)
    want = WorkerRecord(0, WorkerPhase.EXITED, START, later, 3, WorkerEnd.EXITED)
    assert stage.record() == want
    stage.show(over, None)
    assert stage.record() == want


def test_a_running_pod_that_vanishes_was_disrupted_and_a_stopped_one_was_stopped(stage: Stage) -> None:
    for rank in range(2):
        stage.show(None, pod(rank, phase="Running", container=running()))

    stage.show(pod(0, phase="Running", container=running()), None)
    stage.standings.bar(ATTEMPT, 1)
    stage.show(pod(1, phase="Running", container=running()), None)

    assert (stage.record(0).end, stage.record(0).phase) == (WorkerEnd.DISRUPTED, WorkerPhase.LOST)
    assert (stage.record(1).end, stage.record(1).phase) == (WorkerEnd.STOPPED, WorkerPhase.EXITED)


def test_a_pod_that_is_being_deleted_runs_until_it_is_gone_whatever_it_says(stage: Stage) -> None:
    going = pod(phase="Running", container=running(), deleted_at=START + timedelta(seconds=10))
    stage.show(None, going)
    over = replace(going, phase="Failed", container=ended(143))
    stage.show(going, over)

    assert stage.record().phase is WorkerPhase.RUNNING
    stage.show(over, None)
    assert (stage.record().end, stage.record().exit_code) == (WorkerEnd.DISRUPTED, -15)


def test_a_pod_that_loses_its_proof_is_as_good_as_gone(stage: Stage) -> None:
    ours = pod(phase="Running", container=running())
    stage.show(None, ours)
    assert ours.ownership is not None

    stage.show(ours, replace(ours, ownership=replace(ours.ownership, proof="")))

    assert stage.record().end is WorkerEnd.DISRUPTED


def test_a_pod_without_proof_is_nobodys_business(stage: Stage) -> None:
    ours = pod()
    assert ours.ownership is not None
    stage.show(None, replace(ours, ownership=replace(ours.ownership, proof="guessed")))

    assert stage.members.seen() == []
    assert stage.members.pods(ATTEMPT) == []
    assert stage.news == 0


def test_a_second_pod_under_a_workers_name_leaves_the_first_ones_end(stage: Stage) -> None:
    first, second = pod(phase="Running", container=running()), pod(uid="other", phase="Running", container=running())
    stage.show(None, first)
    stage.show(first, second)

    assert stage.record().end is WorkerEnd.DISRUPTED
    assert stage.members.replaced() == [second]
    stage.standings.bar(ATTEMPT, 1)
    assert stage.record().phase is WorkerPhase.RUNNING  # the stranger holds the devices
    stage.show(second, None)
    assert stage.record().end is WorkerEnd.DISRUPTED


@pytest.mark.parametrize(
    ("view", "patience_s", "want", "want_strike"),
    [
        (pod(node="", released_to="n1", conditions=(UNSCHEDULABLE,)), 60, WorkerEnd.REJECTED, True),
        (pod(node="", conditions=(replace(UNSCHEDULABLE, reason="SchedulingGated"),)), 300, WorkerEnd.REJECTED, False),
        (pod(node=""), 300, WorkerEnd.REJECTED, False),
        (pod(), 300, WorkerEnd.REJECTED, True),
        (pod(container=waiting("ContainerCreating")), 900, WorkerEnd.REJECTED, True),
        (pod(container=waiting("ImagePullBackOff", "no such image")), 900, WorkerEnd.UNSTARTABLE, False),
        (pod(container=waiting("CreateContainerConfigError", "no secret")), 60, WorkerEnd.UNSTARTABLE, False),
    ],
)
def test_a_pod_that_does_not_start_is_given_up_when_its_time_is_over(
    stage: Stage, view: PodView, patience_s: int, want: WorkerEnd, *, want_strike: bool
) -> None:
    stage.show(None, view)

    stage.after(patience_s - 1)
    assert stage.record() == WorkerRecord(0, WorkerPhase.PENDING)
    stage.after(1)

    record = stage.record()
    assert (record.phase, record.end) == (WorkerPhase.PENDING, want)
    assert record.detail
    assert bool(stage.strikes) is want_strike
    stage.standings.bar(ATTEMPT, 1)
    stage.show(view, None)
    assert (stage.record().phase, stage.record().end) == (WorkerPhase.LOST, want)


def test_nobody_is_given_up_before_the_api_has_confirmed_its_pod(stage: Stage) -> None:
    stage.is_answering = False
    stage.show(None, pod())

    stage.after(1000)
    assert stage.record().end is None
    assert stage.asked

    stage.is_answering = True
    stage.after(0)
    assert stage.record().end is WorkerEnd.REJECTED


def test_an_invalid_image_name_needs_no_patience(stage: Stage) -> None:
    stage.show(None, pod(container=waiting("InvalidImageName", "bad")))

    assert stage.record().end is WorkerEnd.UNSTARTABLE
    assert stage.record().detail == "InvalidImageName: bad"


def test_pulling_and_backing_off_are_one_hindrance(stage: Stage) -> None:
    for number in range(10):
        reason = ("ErrImagePull", "ImagePullBackOff")[number % 2]
        stage.show(None, pod(container=waiting(reason)))
        stage.after(90)

    assert stage.record().end is WorkerEnd.UNSTARTABLE


@pytest.mark.parametrize("down", [None, node("Unknown"), node("False")])
def test_a_pod_stuck_on_a_node_that_is_down_is_abandoned(stage: Stage, down: NodeView | None) -> None:
    going = pod(phase="Running", container=running(), deleted_at=START + timedelta(seconds=10))
    stage.show(None, going)

    stage.after(60)
    assert stage.record().phase is WorkerPhase.RUNNING  # its node is fine: it may still work
    stage.nodes.n1 = down
    stage.after(0)

    assert (stage.record().phase, stage.record().end) == (WorkerPhase.LOST, WorkerEnd.DISRUPTED)


def test_how_long_a_pod_may_go_is_told_by_its_grace_and_by_no_clock_of_servers(stage: Stage) -> None:
    going = pod(phase="Running", container=running(), deleted_at=START + timedelta(days=1), deletion_grace_s=600)
    stage.nodes.n1 = None
    stage.show(None, going)
    stage.after(600 + 29)
    assert stage.record().phase is WorkerPhase.RUNNING
    stage.after(1)
    assert stage.record().phase is WorkerPhase.LOST


def test_a_shorter_grace_counts_from_when_it_is_seen(stage: Stage) -> None:
    going = pod(phase="Running", container=running(), deleted_at=START, deletion_grace_s=600)
    stage.nodes.n1 = None
    stage.show(None, going)
    stage.show(going, replace(going, deletion_grace_s=1))

    stage.after(31)

    assert stage.record().phase is WorkerPhase.LOST


@pytest.mark.parametrize(
    ("seen_node", "want"),
    [
        (node(), WorkerEnd.EXITED),
        (node("Unknown", since=START + timedelta(seconds=50)), WorkerEnd.DISRUPTED),
        (node("Unknown", since=START + timedelta(hours=1)), WorkerEnd.EXITED),
        (node("True", since=START + timedelta(seconds=20)), WorkerEnd.DISRUPTED),
        (node("True", since=START - timedelta(seconds=20)), WorkerEnd.EXITED),
        (None, WorkerEnd.DISRUPTED),
    ],
)
def test_what_a_program_does_on_a_node_that_goes_down_is_not_its_doing(
    stage: Stage, seen_node: NodeView | None, want: WorkerEnd
) -> None:
    stage.nodes.n1 = seen_node

    stage.show(None, pod(phase="Failed", container=ended(1, at=START + timedelta(seconds=10))))

    assert (stage.record().end, stage.record().exit_code) == (want, 1)


@pytest.mark.parametrize(
    ("flap_s", "want"),
    [(3600 - 61, WorkerEnd.EXITED), (3600 - 59, WorkerEnd.DISRUPTED), (3600 + 59, WorkerEnd.DISRUPTED)],
)
def test_trouble_of_a_node_long_before_a_failure_excuses_nothing(stage: Stage, flap_s: int, want: WorkerEnd) -> None:
    stage.nodes.n1 = node("True", since=START + timedelta(seconds=flap_s))

    stage.show(None, pod(phase="Failed", container=ended(1, at=START + timedelta(hours=1))))

    assert stage.record().end is want


def test_a_companion_that_outlives_the_worker_does_not_hold_it_for_ever(stage: Stage) -> None:
    stage.show(None, pod(phase="Running", container=ended(0, "Completed")))
    assert stage.record().phase is WorkerPhase.RUNNING

    stage.after(31)

    assert (stage.record().end, stage.record().exit_code) == (WorkerEnd.EXITED, 0)


def test_a_finalizer_on_an_ended_pod_does_not_hold_its_worker_for_ever(stage: Stage) -> None:
    going = pod(phase="Failed", container=ended(143), deleted_at=START + timedelta(seconds=10))
    stage.standings.bar(ATTEMPT, 1)
    stage.show(None, going)
    assert stage.record().phase is WorkerPhase.RUNNING

    stage.after(41)

    assert (stage.record().end, stage.record().exit_code) == (WorkerEnd.STOPPED, -15)


def test_the_end_of_a_pod_that_is_over_does_not_change_when_it_is_deleted(stage: Stage) -> None:
    over = pod(phase="Failed", container=ended(3))
    stage.show(None, over)
    before = stage.record()

    stage.show(over, replace(over, deleted_at=START))
    stage.show(over, None)

    assert stage.record() == before


def test_a_disruption_is_told_in_the_words_of_the_cluster(stage: Stage) -> None:
    taken = condition("DisruptionTarget", reason="EvictionByEvictionAPI")
    going = pod(phase="Running", container=running(), deleted_at=START, conditions=(taken,))
    stage.show(None, going)

    stage.show(going, None)

    assert stage.record().detail == "EvictionByEvictionAPI: so it is"


def test_pods_of_a_stopped_attempt_that_nobody_deleted_are_overdue(stage: Stage) -> None:
    stage.show(None, pod(phase="Running", container=running()))
    assert stage.members.overdue() == []

    stage.standings.bar(ATTEMPT, 1)
    assert stage.members.overdue() == [ATTEMPT]
    stage.show(pod(), pod(phase="Running", container=running(), deleted_at=START))
    assert stage.members.overdue() == []


def test_a_worker_is_found_by_its_pods_name_and_uid(stage: Stage) -> None:
    stage.show(None, pod())

    assert stage.members.worker_of(pod().key, "uid-0") == WorkerKey(ATTEMPT, 0)
    assert stage.members.worker_of(pod().key, "other") is None
    assert stage.members.worker_of("medley-jobs/somebody", "uid-0") is None


@pytest.mark.parametrize(("gate", "want"), [("medley/gang", True), ("example.com/other", False)])
def test_only_our_own_gate_counts(gate: str, *, want: bool) -> None:
    metadata = {"uid": "u", "namespace": "n", "name": "p", "resourceVersion": "1"}
    spec = {"containers": [{"name": "c"}], "schedulingGates": [{"name": gate}]}

    assert pod_view({"metadata": metadata, "spec": spec}).is_gated is want
