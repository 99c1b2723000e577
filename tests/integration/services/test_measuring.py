"""Figures of a scheduler at work: counted from the feed, read from the state."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scheduler.adapters.telemetry.gauges import GaugeCollector
from scheduler.adapters.telemetry.metrics import PrometheusTelemetry
from scheduler.services.cancel_job import cancel_job
from scheduler.services.decide_once import Decider, Told
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead
from scheduler.services.measuring.count_changes import ChangeCounter
from scheduler.services.measuring.read_state import StateReader
from tests.builders.stage import CHIP, DEVICES_PER_NODE, NODES, TENANT, Stage, make_spec, stage
from tests.builders.telemetry import value

OF_TENANT = {"tenant": TENANT, "chip": CHIP}


@dataclass
class Measured:
    """A stage that is measured."""

    scene: Stage
    telemetry: PrometheusTelemetry

    def figure(self, name: str, **labels: str) -> float | None:
        return value(self.telemetry.registry, name, labels)


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Measured]:
    with stage(tmp_path) as scene:
        telemetry = PrometheusTelemetry("test")
        counter = ChangeCounter(telemetry)
        lead = Lead.take(scene.storage.leadership, "measured")
        scene._lead = lead
        scene.followed = FollowedState(scene.storage.views, scene.clock, listener=counter.see)
        scene.decider = Decider(
            scene.followed,
            scene.storage.journal,
            scene.clock,
            scene.wake_up,
            lead=lead,
            told=Told(telemetry, counter=counter),
        )
        scene.reconciler = scene.reconciler_of(scene.cluster)
        reader = StateReader(scene.followed, scene.clock, (scene.cluster,), epoch=lead.epoch, loops=tuple)
        telemetry.registry.register(GaugeCollector(reader.read))
        yield Measured(scene, telemetry)
        scene.reconciler.close()


def test_a_job_is_counted_from_its_submission_to_its_end(measured: Measured) -> None:
    scene = measured.scene
    job = scene.submit(make_spec(workers=2))
    scene.clock.advance(3.0)
    scene.decider.decide_once()
    assert measured.figure("medley_jobs_submitted_total", tenant=TENANT) == 1
    assert measured.figure("medley_decision_latency_seconds_sum") == pytest.approx(3.0)
    assert measured.figure("medley_queue_wait_seconds_sum", **OF_TENANT) == pytest.approx(3.0)
    assert measured.figure("medley_decisions_total", outcome="placed") == 1
    held = {"cluster": "mixed", "chip": CHIP, "tenant": TENANT}
    assert measured.figure("medley_devices_allocated", **held) == 2
    scene.turn()
    cancel_job(scene.storage.journal, scene.clock, job=job, tenant=None, by="somebody")
    scene.turn()
    assert measured.figure("medley_attempts_stopped_total", reason="cancelled") == 1
    assert measured.figure("medley_gangs_finished_total", tenant=TENANT, state="cancelled") == 1
    assert measured.figure("medley_devices_allocated", **held) is None


def test_what_waits_shows_with_its_age_and_is_decided_once(measured: Measured) -> None:
    scene = measured.scene
    for _ in range(2):
        scene.submit(make_spec(workers=NODES, devices=DEVICES_PER_NODE))
        scene.clock.advance(10.0)
    scene.decider.decide_once()
    scene.clock.advance(60.0)
    assert measured.figure("medley_queue_gangs", **OF_TENANT) == 1
    assert measured.figure("medley_queue_devices", **OF_TENANT) == NODES * DEVICES_PER_NODE
    assert measured.figure("medley_queue_oldest_wait_seconds", **OF_TENANT) == pytest.approx(70.0)
    assert measured.figure("medley_decision_latency_seconds_count") == 2
    scene.decider.decide_once()
    assert measured.figure("medley_decision_latency_seconds_count") == 2


def test_a_process_that_only_follows_leaves_the_state_to_the_one_that_leads(measured: Measured) -> None:
    scene = measured.scene
    scene.submit(make_spec())
    scene.turn()
    follower = FollowedState(scene.storage.views, scene.clock)
    follower.follow()
    readings = StateReader(follower, scene.clock, (), epoch=None, loops=tuple).read()
    assert (readings.leader, readings.change) == (None, scene.storage.views.last_change())


def test_the_state_is_stamped_with_its_change_epoch_and_watches(measured: Measured) -> None:
    scene = measured.scene
    scene.submit(make_spec())
    scene.turn()
    assert measured.figure("medley_follower_change") == scene.storage.views.last_change()
    assert measured.figure("medley_leader_epoch") == scene.storage.leadership.current()[0]
    assert measured.figure("medley_watch_lag_seconds", cluster="mixed") == 0
    usable = {"cluster": "mixed", "chip": CHIP, "condition": "usable"}
    assert measured.figure("medley_devices", **usable) == NODES * DEVICES_PER_NODE
