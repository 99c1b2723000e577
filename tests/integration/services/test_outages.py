"""A cluster that does not answer: what was never begun there goes elsewhere, the rest is held until it answers."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from scheduler.adapters.memory.cluster import FakeCluster
from scheduler.core.model.attempt import SeenWorker
from scheduler.core.model.change import WorkersNoted
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.ports.cluster import ClusterUnavailable, GangOrder
from scheduler.services.cancel_job import cancel_job
from scheduler.services.reconcile_once import OUTAGE_S
from scheduler.services.sync_inventory import InventorySync
from tests.builders.stage import CHIP, DEVICES_PER_NODE, NODES, Stage, make_spec, runs_for_ever, stage

PATIENCE_S = 30.0


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened


def cancel(scene: Stage, job: str) -> None:
    cancel_job(scene.storage.journal, scene.clock, job=job, tenant=None, by="somebody")


def look_in_vain(scene: Stage) -> None:
    with pytest.raises(ClusterUnavailable):
        scene.reconciler.reconcile_once()


def remarks(scene: Stage) -> list[tuple[str, str]]:
    bodies = [change.body for change in scene.storage.views.changes_after(0, limit=1_000)]
    return [(body.attempt, each.text) for body in bodies if isinstance(body, WorkersNoted) for each in body.remarks]


@pytest.fixture
def tried(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
    """A job whose start was asked for, and of which nobody knows whether it got through; the cluster is away."""
    job = scene.submit(make_spec())

    def lose_answer(_order: GangOrder) -> None:
        raise ClusterUnavailable("timed out")

    with monkeypatch.context() as patched:
        patched.setattr(scene.cluster, "start", lose_answer)
        scene.turn()
    scene.cluster.is_away = True
    return job


def test_what_was_never_begun_is_given_up_after_a_minute_and_charged_to_nobody(scene: Stage) -> None:
    scene.cluster.is_away = True
    job = scene.submit(make_spec(retries=0))
    scene.decider.decide_once()
    look_in_vain(scene)
    scene.clock.advance(OUTAGE_S - 1.0)
    look_in_vain(scene)
    assert scene.job(job).state is State.PLACED
    scene.clock.advance(1.0)
    look_in_vain(scene)
    look_in_vain(scene)
    view = scene.job(job)
    assert (view.state, view.groups[0].stop_reason) == (State.QUEUED, StopReason.START_REFUSED)
    assert (view.groups[0].failures, scene.devices_held()) == (0, 0)
    assert view.refusal == "cluster mixed does not answer: the fake cluster is away"


def test_what_was_never_begun_can_be_cancelled_at_once(scene: Stage) -> None:
    scene.cluster.is_away = True
    job = scene.submit(make_spec())
    scene.decider.decide_once()
    cancel(scene, job)
    look_in_vain(scene)
    assert (scene.job(job).state, scene.devices_held()) == (State.CANCELLED, 0)


def test_what_may_have_begun_is_held_until_the_cluster_answers_and_the_job_says_so_once(
    scene: Stage, tried: str
) -> None:
    cancel(scene, tried)
    for _ in range(3):
        look_in_vain(scene)
        scene.clock.advance(OUTAGE_S)
    assert (scene.job(tried).state, scene.devices_held()) == (State.STOPPING, 2)
    assert remarks(scene) == [
        (
            scene.job(tried).attempts[-1].id,
            "cluster mixed does not answer: what this attempt holds stays held until it is seen what runs there",
        )
    ]
    scene.cluster.is_away = False
    scene.turn()
    assert (scene.job(tried).state, scene.devices_held()) == (State.CANCELLED, 0)


def test_what_an_earlier_process_may_have_begun_is_held(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.decider.decide_once()
    scene.cluster.is_away = True
    scene.lead()
    for _ in "ab":
        look_in_vain(scene)
        scene.clock.advance(OUTAGE_S)
    assert scene.job(job).state is State.PLACED
    scene.cluster.is_away = False
    scene.turn()
    assert scene.job(job).state is State.RUNNING


def test_an_outage_counts_from_the_last_answer(scene: Stage) -> None:
    job = scene.submit(make_spec())
    scene.cluster.is_away = True
    look_in_vain(scene)
    scene.cluster.is_away = False
    scene.clock.advance(OUTAGE_S)
    scene.reconciler.reconcile_once()
    scene.cluster.is_away = True
    scene.decider.decide_once()
    look_in_vain(scene)
    assert scene.job(job).state is State.PLACED


def test_a_cluster_that_hangs_holds_up_nothing_of_another(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    far = FakeCluster(
        "yonder", [Node("yonder", "n1", (DeviceGroup(CHIP, 64, 1),), 64_000, 65_536, 64)],
        clock=scene.clock, script=runs_for_ever,
    )  # fmt: skip
    InventorySync(scene.storage.directory, scene.clock, far, kind="kubernetes").sync_once()
    hangs, go_on = Event(), Event()

    def hang() -> list[SeenWorker]:
        hangs.set()
        assert go_on.wait(PATIENCE_S)
        return observe()

    observe = far.observe
    monkeypatch.setattr(far, "observe", hang)
    there = scene.reconciler_of(far)
    thread = Thread(target=there.reconcile_once)
    thread.start()
    try:
        assert hangs.wait(PATIENCE_S)
        big = scene.submit(make_spec(workers=NODES * DEVICES_PER_NODE + 1))
        near = scene.submit(make_spec(workers=1))
        scene.turn()
        assert scene.job(big).attempts[-1].workers == (), "only the other cluster has room for it"
        assert scene.job(near).state is State.RUNNING
        cancel(scene, near)
        scene.turn()
        assert scene.job(near).state is State.CANCELLED
    finally:
        go_on.set()
        thread.join()
    there.reconcile_once()
    assert scene.job(big).state is State.RUNNING
