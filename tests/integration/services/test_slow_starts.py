"""Starts that take long, or never get an answer: nobody waits for them, and they are given up in the end."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from scheduler.adapters.memory.cluster import CLAIMS, FakeCluster
from scheduler.core.model.group import State, StopReason
from scheduler.ports.cluster import ClusterUnavailable, GangOrder
from scheduler.services import start_gangs
from scheduler.services.cancel_job import cancel_job
from scheduler.services.keep_lead import LeadershipLost
from scheduler.services.start_gangs import GIVE_UP_S
from tests.builders.eventually import eventually
from tests.builders.stage import Stage, make_spec, stage

PATIENCE_S = 30.0


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened
        opened.reconciler.close()


@pytest.fixture
def go_on() -> Iterator[Event]:
    """Let the start that hangs go on; at the end of the test at the latest."""
    event = Event()
    yield event
    event.set()


@pytest.fixture
def stuck(scene: Stage, monkeypatch: pytest.MonkeyPatch, go_on: Event) -> str:
    """A job on a cluster that takes two starts at once, whose start hangs."""
    monkeypatch.setattr(FakeCluster, "claims", replace(CLAIMS, starts_at_once=2))
    monkeypatch.setattr(start_gangs, "PATIENCE_S", 0.05)
    job, start = scene.submit(make_spec(workers=1)), scene.cluster.start

    def hang(order: GangOrder) -> None:
        if order.job.id == job:
            assert go_on.wait(PATIENCE_S)
        start(order)

    monkeypatch.setattr(scene.cluster, "start", hang)
    return job


def cancel(scene: Stage, job: str) -> None:
    cancel_job(scene.storage.journal, scene.clock, job=job, tenant=None, by="somebody")


def test_a_start_that_hangs_holds_up_neither_the_start_nor_the_end_of_others(scene: Stage, stuck: str) -> None:
    other = scene.submit(make_spec(workers=1))

    def is_running() -> bool:
        scene.turn()
        return scene.job(other).state is State.RUNNING

    eventually(is_running, within_s=PATIENCE_S)
    cancel(scene, other)
    scene.turn()
    assert scene.job(other).state is State.CANCELLED
    assert scene.job(stuck).state is State.PLACED


def test_a_start_that_ends_late_gives_a_hint_and_is_reported_then(scene: Stage, stuck: str, go_on: Event) -> None:
    hinted = Event()
    scene.turn()
    assert (scene.reconciler.is_settled, scene.reconciler.has_news()) == (True, False), "waiting is no work"
    scene.reconciler.listen(hinted.set)
    go_on.set()
    assert hinted.wait(PATIENCE_S)
    assert scene.reconciler.has_news()
    scene.turn()
    assert scene.job(stuck).state is State.RUNNING
    assert len(scene.cluster.starts) == 1


def test_what_is_being_started_counts_as_gone_only_once_its_start_has_ended(
    scene: Stage, stuck: str, go_on: Event
) -> None:
    scene.turn()
    cancel(scene, stuck)
    scene.turn()
    assert (scene.job(stuck).state, scene.devices_held()) == (State.STOPPING, 1)
    assert scene.reconciler.is_settled, "waiting is no work"
    hinted = Event()
    scene.reconciler.listen(hinted.set)
    go_on.set()
    assert hinted.wait(PATIENCE_S)
    scene.reconciler.reconcile_once()
    assert (scene.job(stuck).state, scene.devices_held()) == (State.CANCELLED, 0)


def test_a_lead_that_was_lost_while_a_start_was_under_way_comes_to_light(
    scene: Stage, stuck: str, monkeypatch: pytest.MonkeyPatch, go_on: Event
) -> None:
    current = scene.storage.leadership.current

    def ask_late() -> tuple[int, str]:
        assert go_on.wait(PATIENCE_S)
        return current()

    monkeypatch.setattr(scene.storage.leadership, "current", ask_late)
    scene.decider.decide_once()
    scene.reconciler.reconcile_once()
    scene.storage.leadership.take("another process")
    go_on.set()
    eventually(scene.reconciler.has_news, within_s=PATIENCE_S)
    with pytest.raises(LeadershipLost):
        scene.reconciler.reconcile_once()
    assert (stuck, scene.cluster.starts) == (stuck, [])


def test_a_start_that_never_gets_an_answer_is_given_up_and_charged_to_nobody(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_answer(_order: GangOrder) -> None:
        raise ClusterUnavailable("timed out")

    job = scene.submit(make_spec(retries=0))
    monkeypatch.setattr(scene.cluster, "start", never_answer)
    scene.turn()
    for _ in range(int(GIVE_UP_S) - 1):
        scene.clock.advance(1.0)
        scene.reconciler.reconcile_once()
    assert scene.job(job).state is State.PLACED
    scene.clock.advance(1.0)
    scene.reconciler.reconcile_once()
    view = scene.job(job)
    assert (view.state, view.groups[0].stop_reason) == (State.QUEUED, StopReason.START_REFUSED)
    assert (view.groups[0].failures, scene.devices_held()) == (0, 0)
    assert view.refusal == "it could not be started within 300 s: timed out"


def test_what_waits_for_its_turn_behind_starts_that_hang_is_cancelled_at_once(
    scene: Stage, stuck: str, monkeypatch: pytest.MonkeyPatch, go_on: Event
) -> None:
    def hang(_order: GangOrder) -> None:
        assert go_on.wait(PATIENCE_S)

    monkeypatch.setattr(scene.cluster, "start", hang)
    first, second, third = stuck, scene.submit(make_spec(workers=1)), scene.submit(make_spec(workers=1))
    scene.turn()
    cancel(scene, third)
    scene.turn()
    assert [scene.job(job).state for job in (first, second, third)] == [State.PLACED, State.PLACED, State.CANCELLED]
