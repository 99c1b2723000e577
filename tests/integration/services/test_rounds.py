"""What one call of the reconciler does besides driving: many starts at once, remarks, sweeping, and going on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from scheduler.adapters.memory.cluster import CLAIMS, FakeCluster
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import WorkerEnd, WorkerRemark
from scheduler.core.model.change import WorkersNoted
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import WorkerKey
from scheduler.loops.steps import reconciling
from scheduler.ports.cluster import ClusterUnavailable, GangOrder, StartFailed, StartRefusal
from scheduler.ports.journal import MOST_REMARKS, Observe, Outcome, Rejected, Write
from scheduler.services import reconcile_once, start_gangs
from scheduler.services.cancel_job import cancel_job
from scheduler.services.keep_lead import LeadershipLost
from scheduler.services.reconcile_once import SWEEP_INTERVAL_S, SWEEP_PAUSE_S
from scheduler.services.submit_job import Accepted, NotOffered, Submission, submit_job
from tests.builders.stage import TENANT, Stage, make_spec, stage

AT_ONCE = 4
PATIENCE_S = 30.0


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened
        opened.reconciler.close()


@pytest.fixture
def crowd(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage whose cluster takes several starts at once."""
    monkeypatch.setattr(FakeCluster, "claims", replace(CLAIMS, starts_at_once=AT_ONCE))
    return scene


def states(scene: Stage, jobs: Sequence[str]) -> set[State]:
    return {scene.job(job).state for job in jobs}


def remarks(scene: Stage) -> list[WorkerRemark]:
    bodies = [change.body for change in scene.storage.views.changes_after(0, limit=1_000)]
    return [remark for body in bodies if isinstance(body, WorkersNoted) for remark in body.remarks]


def test_several_gangs_are_started_at_the_same_time(crowd: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [crowd.submit(make_spec(workers=1)) for _ in range(AT_ONCE)]
    start, all_here = crowd.cluster.start, Barrier(AT_ONCE)

    def start_together(order: GangOrder) -> None:
        all_here.wait(PATIENCE_S)
        start(order)

    monkeypatch.setattr(crowd.cluster, "start", start_together)
    crowd.turn()
    assert states(crowd, jobs) == {State.RUNNING}


def test_refusals_of_gangs_that_were_started_together_are_written_together(
    crowd: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [crowd.submit(make_spec(workers=1)) for _ in range(3)]
    written: list[int] = []
    write = crowd.storage.journal.write

    def count_refusals(items: Sequence[Write]) -> list[Outcome]:
        refusals = [item for item in items if isinstance(item, Observe) and item.event is Event.STOP]
        written.extend([len(refusals)] if refusals else [])
        return write(items)

    def refuse(_order: GangOrder) -> None:
        raise StartFailed("pods exceed 10", StartRefusal.QUOTA)

    monkeypatch.setattr(crowd.cluster, "start", refuse)
    monkeypatch.setattr(crowd.storage.journal, "write", count_refusals)
    crowd.turn()
    assert written == [3]
    assert {scene_job.refusal for scene_job in map(crowd.job, jobs)} == {
        "the cluster's own quota is used up: pods exceed 10"
    }


def test_an_old_leader_starts_none_of_many(crowd: Stage) -> None:
    for _ in range(3):
        crowd.submit(make_spec(workers=1))
    crowd.decider.decide_once()
    crowd.storage.leadership.take("another process")
    with pytest.raises(LeadershipLost):
        crowd.reconciler.reconcile_once()
    assert crowd.cluster.starts == []


def test_a_gang_that_cannot_be_started_for_a_fault_of_ours_delays_nobody(
    crowd: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = crowd.submit(make_spec(workers=1)), crowd.submit(make_spec(workers=1))
    start = crowd.cluster.start

    def stumble(order: GangOrder) -> None:
        if order.job.id == broken:
            raise KeyError("a template that is not there")
        start(order)

    monkeypatch.setattr(crowd.cluster, "start", stumble)
    crowd.turn()
    assert (crowd.job(broken).state, crowd.job(sound).state) == (State.PLACED, State.RUNNING)


def test_more_starts_than_a_round_takes_go_on_at_once(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_gangs, "MOST_STARTS", 1)
    jobs = [scene.submit(make_spec(workers=1)) for _ in range(6)]
    scene.decider.decide_once()
    step = reconciling(scene.reconciler, scene.clock)
    assert step() == 0.0, "there is more to do"
    assert len(scene.cluster.starts) < len(jobs)
    assert step() > 0.0
    assert states(scene, jobs) == {State.RUNNING}


def test_workers_that_do_not_show_after_their_start_are_no_reason_to_look_again_at_once(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.submit(make_spec(workers=1))
    scene.decider.decide_once()
    monkeypatch.setattr(scene.cluster, "start", lambda _order: None)
    step = reconciling(scene.reconciler, scene.clock)
    assert step() > 0.0


def test_what_the_cluster_did_is_charged_to_nobody_and_told_to_the_user(scene: Stage) -> None:
    job = scene.submit(make_spec(retries=0))
    scene.turn()
    attempt = scene.job(job).attempts[-1].id
    scene.cluster.end_worker(WorkerKey(attempt, 0), exit_code=1)
    scene.cluster.take_worker(WorkerKey(attempt, 1), WorkerEnd.DISRUPTED, "Evicted: the node is drained")
    scene.turn()
    view = scene.job(job)
    assert (view.state, view.groups[0].failures) == (State.QUEUED, 0)
    assert view.groups[0].stop_reason is StopReason.DISRUPTED
    assert view.refusal == "worker 1: Evicted: the node is drained"
    assert view.attempts[-1].workers[1].detail == "Evicted: the node is drained"


def test_a_job_that_cannot_be_started_as_asked_fails_at_once(scene: Stage) -> None:
    job = scene.submit(make_spec(retries=5))
    scene.turn()
    key = WorkerKey(scene.job(job).attempts[-1].id, 0)
    scene.cluster.take_worker(key, WorkerEnd.UNSTARTABLE, "InvalidImageName")
    scene.turn()
    view = scene.job(job)
    assert (view.state, view.groups[0].stop_reason) == (State.FAILED, StopReason.UNSTARTABLE)
    assert scene.devices_held() == 0


def test_what_the_cluster_says_of_workers_comes_into_the_feed_once(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.turn()
    attempt = scene.job(job).attempts[-1].id
    scene.cluster.say(attempt, 1, "Pulling image")
    scene.cluster.say("unknown-g0-a1", None, "nobody's")
    scene.turn()
    scene.turn()
    assert remarks(scene) == [WorkerRemark(1, "Pulling image", scene.clock.now())]
    assert scene.job(job).state is State.RUNNING


def test_a_worker_that_is_spoken_of_without_end_does_not_fill_the_feed(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.turn()
    for number in range(MOST_REMARKS + 50):
        scene.cluster.say(scene.job(job).attempts[-1].id, 0, f"BackOff {number}")
        if number % 70 == 0:
            scene.turn()
    scene.turn()
    assert [remark.text for remark in remarks(scene)] == [f"BackOff {number}" for number in range(MOST_REMARKS)]


def test_a_settled_cluster_is_swept_with_what_is_live_and_one_that_is_away_is_not(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.turn()
    assert scene.cluster.swept[-1] == {scene.job(job).attempts[-1].id}
    swept = len(scene.cluster.swept)
    scene.cluster.is_away = True
    with pytest.raises(ClusterUnavailable):
        scene.reconciler.reconcile_once()
    assert len(scene.cluster.swept) == swept


def test_a_cluster_is_swept_while_it_never_settles_but_not_at_every_look(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every look brings a start, as where jobs come and go all the time."""
    monkeypatch.setattr(reconcile_once, "MOST_ROUNDS", 1)
    swept = []
    for _ in range(int(2 * SWEEP_INTERVAL_S)):
        job = scene.submit(make_spec(workers=1))
        scene.decider.decide_once()
        scene.reconciler.reconcile_once()
        assert not scene.reconciler.is_settled
        swept.append(len(scene.cluster.swept))
        scene.clock.advance(1.0)
        cancel_job(scene.storage.journal, scene.clock, job=job, tenant=None, by="somebody")
    assert swept[0] == swept[int(SWEEP_INTERVAL_S) - 1] == 1
    assert swept[-1] == 2


def test_a_settled_cluster_is_swept_at_most_once_in_a_second(scene: Stage) -> None:
    for _ in range(11):
        scene.reconciler.reconcile_once()
        scene.clock.advance(SWEEP_PAUSE_S / 2)
    assert len(scene.cluster.swept) == 6


def test_a_job_that_every_cluster_objects_to_is_not_accepted(scene: Stage) -> None:
    submission = Submission(TENANT, "somebody", replace(make_spec(), image="example/train:1"), None)
    before = scene.storage.views.last_change()
    answer = submit_job(scene.storage.journal, scene.clock, scene.names, submission, clusters=(scene.cluster,))
    assert isinstance(answer, NotOffered)
    (objection,) = answer.objections
    assert "mixed" in objection
    assert "example/train:1" in objection
    assert scene.storage.views.last_change() == before


def test_one_cluster_without_objection_is_enough(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    willing = FakeCluster("willing", [], clock=scene.clock, script=lambda _order, _rank: pytest.fail("not started"))
    monkeypatch.setattr(willing, "objection", lambda _job: None)
    submission = Submission(TENANT, "somebody", replace(make_spec(), image="example/train:1"), None)
    clusters = (scene.cluster, willing)
    answer = submit_job(scene.storage.journal, scene.clock, scene.names, submission, clusters=clusters)
    assert isinstance(answer, Accepted)
    assert scene.job(answer.job.id).job.spec.objecting_clusters == ("mixed",)
    assert not isinstance(answer.outcome, Rejected)
    scene.decider.decide_once()
    assert scene.job(answer.job.id).state is State.QUEUED, "the only nodes are those of the one that objects"
