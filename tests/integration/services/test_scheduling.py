"""Deciding and reconciling on a real database, with faults at the seams."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scheduler.adapters.memory.fake_worker import Behaviour
from scheduler.core.model.attempt import Allocation, WorkerEnd, WorkerPhase
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.identifiers import WorkerKey
from scheduler.core.model.node import Cluster
from scheduler.core.model.tenant import Quota
from scheduler.ports.cluster import ClusterUnavailable, GangOrder
from scheduler.ports.journal import Observe, Outcome, StorageUnavailable, Write
from scheduler.services.cancel_job import cancel_job
from scheduler.services.explain_job import explain_job
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import LeadershipLost
from tests.builders.stage import CHIP, DEVICES_PER_NODE, NODES, TENANT, Stage, make_spec, stage


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened


def cancel(scene: Stage, job: str) -> Outcome:
    return cancel_job(scene.storage.journal, scene.clock, job=job, tenant=None, by="somebody")


def test_a_placeable_job_runs_after_one_turn_without_any_time_passing(scene: Stage) -> None:
    job = scene.submit(make_spec(workers=3))
    scene.turn()
    view = scene.job(job)
    assert view.state is State.RUNNING
    assert [worker.phase for worker in view.attempts[-1].workers] == [WorkerPhase.RUNNING] * 3
    assert scene.devices_held() == 3


def test_devices_are_given_back_when_all_workers_have_ended_well(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.turn()
    for rank in range(2):
        assert scene.devices_held() == 2, "held until the last worker ended"
        scene.cluster.end_worker(WorkerKey(scene.job(job).attempts[-1].id, rank), exit_code=0)
        scene.turn()
    assert scene.job(job).state is State.SUCCEEDED
    assert scene.devices_held() == 0
    assert scene.cluster.observe() == [], "an ended attempt is forgotten by its cluster"


def test_a_failed_worker_stops_its_gang_which_is_tried_again_after_a_pause(scene: Stage) -> None:
    job = scene.submit(make_spec(retries=1))
    scene.turn()
    scene.cluster.end_worker(WorkerKey(scene.job(job).attempts[-1].id, 0), exit_code=3)
    scene.turn()
    view = scene.job(job)
    assert (view.state, view.groups[0].failures) == (State.QUEUED, 1)
    assert scene.devices_held() == 0
    scene.turn()
    assert scene.job(job).state is State.QUEUED, "it backs off"
    scene.clock.advance(1.0)
    scene.turn()
    view = scene.job(job)
    assert (view.state, view.attempts[-1].number) == (State.RUNNING, 2)


def test_out_of_retries_the_job_fails(scene: Stage) -> None:
    job = scene.submit(make_spec(retries=0))
    scene.turn()
    scene.cluster.end_worker(WorkerKey(scene.job(job).attempts[-1].id, 1), exit_code=3)
    scene.turn()
    view = scene.job(job)
    assert (view.state, view.groups[0].stop_reason) == (State.FAILED, StopReason.WORKER_FAILED)


def test_a_lost_worker_costs_no_retry(scene: Stage) -> None:
    job = scene.submit(make_spec(retries=0))
    scene.turn()
    scene.cluster.lose_worker(WorkerKey(scene.job(job).attempts[-1].id, 1))
    scene.turn()
    view = scene.job(job)
    assert (view.state, view.groups[0].stop_reason, view.groups[0].failures) == (State.QUEUED, StopReason.LOST, 0)
    scene.clock.advance(1.0)
    scene.turn()
    assert scene.job(job).state is State.RUNNING


def test_a_cancelled_job_holds_its_devices_until_its_workers_are_proven_gone(tmp_path: Path) -> None:
    def slow_to_end(_order: GangOrder, _rank: int) -> Behaviour:
        return Behaviour(grace_used_s=5.0)

    with stage(tmp_path, slow_to_end) as scene:
        job = scene.submit(make_spec())
        scene.turn()
        cancel(scene, job)
        scene.turn()
        assert scene.job(job).state is State.STOPPING
        assert scene.devices_held() == 2
        scene.clock.advance(5.0)
        scene.turn()
        assert scene.job(job).state is State.CANCELLED
        assert scene.devices_held() == 0


def test_a_job_cancelled_between_placing_and_starting_never_starts(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.decider.decide_once()
    assert scene.job(job).state is State.PLACED
    cancel(scene, job)
    scene.turn()
    assert scene.job(job).state is State.CANCELLED
    assert scene.cluster.starts == []


def test_a_refused_start_costs_no_retry_and_is_tried_again_later(scene: Stage) -> None:
    scene.cluster.refusal = "the image cannot be pulled"
    job = scene.submit(make_spec(retries=0))
    scene.turn()
    view = scene.job(job)
    assert (view.state, view.groups[0].failures) == (State.QUEUED, 0)
    assert view.refusal == "the image cannot be pulled"
    scene.turn()
    assert len(scene.job(job).attempts) == 1, "it does not try in a busy loop"
    scene.cluster.refusal = None
    scene.clock.advance(1.0)
    scene.turn()
    assert scene.job(job).state is State.RUNNING


def test_workers_started_before_a_crash_are_adopted_and_none_is_started_twice(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = scene.submit(make_spec())
    write = scene.storage.journal.write

    def crash_on_news(items: Sequence[Write]) -> list[Outcome]:
        if any(isinstance(item, Observe) for item in items):
            raise StorageUnavailable("killed here")
        return write(items)

    monkeypatch.setattr(scene.storage.journal, "write", crash_on_news)
    with pytest.raises(StorageUnavailable):
        scene.turn()
    assert len(scene.cluster.starts) == 2
    assert scene.job(job).state is State.PLACED
    monkeypatch.undo()
    scene.lead()
    scene.turn()
    assert scene.job(job).state is State.RUNNING
    assert len(scene.cluster.starts) == 2


def test_a_cluster_that_is_away_fails_nothing(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.turn()
    scene.cluster.is_away = True
    with pytest.raises(ClusterUnavailable):
        scene.reconciler.reconcile_once()
    assert scene.job(job).state is State.RUNNING
    scene.cluster.is_away = False
    scene.turn()
    assert scene.job(job).state is State.RUNNING


def test_an_old_leader_decides_and_reports_nothing(scene: Stage) -> None:
    scene.submit(make_spec())
    scene.storage.leadership.take("another process")
    with pytest.raises(LeadershipLost):
        scene.decider.decide_once()
    assert scene.devices_held() == 0


def test_an_old_leader_with_nothing_to_write_learns_that_it_leads_no_longer(scene: Stage) -> None:
    scene.turn()
    scene.storage.leadership.take("another process")
    with pytest.raises(LeadershipLost):
        scene.decider.decide_once()


def test_an_old_leader_starts_no_workers(scene: Stage) -> None:
    scene.submit(make_spec())
    scene.decider.decide_once()
    scene.storage.leadership.take("another process")
    with pytest.raises(LeadershipLost):
        scene.reconciler.reconcile_once()
    assert scene.cluster.starts == []


def test_a_gang_that_does_not_fit_waits_whole_and_lets_smaller_ones_pass(scene: Stage) -> None:
    first = scene.submit(make_spec(workers=5))
    big = scene.submit(make_spec(workers=8))
    small = scene.submit(make_spec(workers=3))
    scene.turn()
    assert [scene.job(job).state for job in (first, big, small)] == [State.RUNNING, State.QUEUED, State.RUNNING]
    (explanation,) = explain_job(scene.followed, scene.clock, big).explanations
    assert explanation.position == 1
    assert explanation.reasons
    cancel(scene, first)
    cancel(scene, small)
    scene.turn()
    scene.turn()
    assert scene.job(big).state is State.RUNNING


def test_a_raised_quota_starts_a_waiting_job(scene: Stage) -> None:
    scene.storage.directory.set_quota(Quota(TENANT, CHIP, 1), scene.clock.now())
    job = scene.submit(make_spec(workers=2))
    scene.turn()
    assert scene.job(job).state is State.QUEUED
    scene.storage.directory.set_quota(Quota(TENANT, CHIP, 2), scene.clock.now())
    scene.turn()
    assert scene.job(job).state is State.RUNNING


def test_a_stray_worker_that_no_attempt_knows_is_stopped_and_forgotten(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.cluster.start(
        GangOrder(
            job=scene.job(job).job,
            attempt="restored-g0-a1",
            number=1,
            generation=1,
            allocations=(Allocation(0, "mixed/node-0", CHIP, (0,), 1000, 1024),),
            torch_devices=("cuda",),
            api_url="http://127.0.0.1:1",
            token="none",
        )
    )
    scene.turn()
    assert {worker.key.attempt for worker in scene.cluster.observe()} == {scene.job(job).attempts[-1].id}


def test_the_state_in_memory_equals_the_one_rebuilt_from_the_database_at_every_step(scene: Stage) -> None:
    for number in range(6):
        job = scene.submit(make_spec(workers=1 + number % 3, retries=number % 2))
        scene.turn()
        if number % 2 and scene.job(job).state is State.RUNNING:
            scene.cluster.end_worker(WorkerKey(scene.job(job).attempts[-1].id, 0), exit_code=number % 4)
        scene.turn()
        scene.clock.advance(0.7)
        with scene.followed.hold() as followed, FollowedState(scene.storage.views, scene.clock).hold() as rebuilt:
            assert followed.digest() == rebuilt.digest()


def test_the_decision_to_wait_is_known_and_hinted_at(scene: Stage) -> None:
    hints: list[None] = []
    stop = scene.wake_up.listen(lambda: hints.append(None))
    scene.submit(make_spec(workers=8, devices=1))
    scene.submit(make_spec(workers=8, devices=1))
    change = scene.storage.views.last_change()
    scene.decider.decide_once()
    assert scene.followed.decided_change >= change
    before = len(hints)
    scene.decider.decide_once()
    scene.decider.decide_once()
    assert len(hints) <= before + 1, "no hint where nothing new was decided"
    stop()


def test_only_news_of_its_own_calls_for_reconciling(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.turn()
    assert not scene.reconciler.has_news()
    scene.submit(make_spec(workers=8, devices=1))
    assert not scene.reconciler.has_news(), "a job that waits concerns no worker"
    scene.cluster.end_worker(WorkerKey(scene.job(job).attempts[-1].id, 0), exit_code=0)
    assert scene.reconciler.has_news(), "the cluster gave a hint"
    scene.turn()
    assert not scene.reconciler.has_news()
    cancel(scene, job)
    assert scene.reconciler.has_news(), "an attempt is to stop"


def test_a_gang_that_cannot_be_started_now_delays_nobody_else(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = scene.submit(make_spec(workers=1))
    start = scene.cluster.start
    tries: list[str] = []

    def refuse_one(order: GangOrder) -> None:
        if order.job.id == stuck:
            tries.append(order.attempt)
            raise ClusterUnavailable("too busy")
        start(order)

    monkeypatch.setattr(scene.cluster, "start", refuse_one)
    ended = scene.submit(make_spec(workers=1))
    scene.turn()
    assert scene.job(stuck).state is State.PLACED
    assert scene.job(ended).state is State.RUNNING
    cancel(scene, ended)
    scene.turn()
    assert scene.job(ended).state is State.CANCELLED
    assert len(tries) == 1, "it is tried again later, not at every look"
    monkeypatch.undo()
    scene.clock.advance(1.0)
    scene.turn()
    assert scene.job(stuck).state is State.RUNNING


def test_a_decision_that_the_database_refuses_is_made_anew_without_a_hint_of_its_own(scene: Stage) -> None:
    scene.submit(make_spec(workers=8))
    scene.submit(make_spec(workers=8))
    with scene.storage.engines.writing.begin() as connection:  # the state in memory does not learn of this
        connection.exec_driver_sql("UPDATE nodes SET state = 'drained'")
    change = scene.storage.views.last_change()
    hints: list[None] = []
    stop = scene.wake_up.listen(lambda: hints.append(None))
    assert scene.decider.decide_once().rejected == 1
    assert scene.decider.decide_once().rejected == 1, "it is decided again"
    assert hints == [], "a hint would turn the pause before the next try into a busy loop"
    assert scene.followed.decided_change < change, "nobody is told that a decision stands"
    stop()


def test_a_change_that_does_not_apply_makes_the_state_be_loaded_anew(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene.followed.hold() as state:
        monkeypatch.setattr(state, "apply", lambda _change: 1 / 0)
    job = scene.submit(make_spec())
    scene.turn()
    assert scene.job(job).state is State.RUNNING


def test_workers_count_as_gone_only_when_looked_for_after_they_were_barred_from_starting(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = scene.submit(make_spec(workers=1))
    scene.decider.decide_once()
    cancel(scene, job)
    stop, order = (
        scene.cluster.stop,
        GangOrder(
            job=scene.job(job).job,
            attempt=scene.job(job).attempts[-1].id,
            number=1,
            generation=1,
            allocations=scene.job(job).attempts[-1].allocations,
            torch_devices=("cuda",),
            api_url="http://127.0.0.1:1",
            token="none",
        ),
    )

    def start_late(attempt: str, *, grace_s: int) -> None:
        """A supervisor that was on its way gets there just before the request to stop."""
        scene.cluster.start(order)
        stop(attempt, grace_s=grace_s)

    monkeypatch.setattr(scene.cluster, "_script", lambda _order, _rank: Behaviour(grace_used_s=5.0))
    monkeypatch.setattr(scene.cluster, "stop", start_late)
    scene.turn()
    assert (scene.job(job).state, scene.devices_held()) == (State.STOPPING, 1), "its worker still runs"
    scene.clock.advance(5.0)
    scene.turn()
    assert (scene.job(job).state, scene.devices_held()) == (State.CANCELLED, 0)


def test_what_does_not_fit_waits_for_a_cluster_that_is_still_to_come_and_so_does_what_ran_before(scene: Stage) -> None:
    scene.storage.directory.register_cluster(Cluster("far", "kubernetes"), scene.clock.now())
    too_big = scene.submit(make_spec(workers=NODES * DEVICES_PER_NODE + 1))
    disrupted = scene.submit(make_spec(workers=NODES * DEVICES_PER_NODE))
    scene.turn()
    scene.cluster.take_worker(WorkerKey(scene.job(disrupted).attempts[-1].id, 0), WorkerEnd.DISRUPTED, "drained")
    scene.storage.directory.record_nodes("mixed", scene.cluster.inventory()[1:], scene.clock.now())
    scene.turn()
    for _ in "ab":
        scene.clock.advance(1.0)
        scene.turn()
        assert [scene.job(job).state for job in (too_big, disrupted)] == [State.QUEUED] * 2
        scene.lead()
    scene.storage.directory.record_nodes("mixed", scene.cluster.inventory(), scene.clock.now())
    scene.turn()
    assert scene.job(disrupted).state is State.RUNNING
