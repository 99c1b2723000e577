"""Throughputs are learnt from what workers report."""

from collections.abc import Iterator
from math import inf, nan
from pathlib import Path

import pytest

from scheduler.core.model.attempt import Progress
from scheduler.core.model.change import ProgressReported
from scheduler.core.model.measuring.throughput import JobFamily
from scheduler.loops.steps import LEARNING_INTERVAL_S, learning
from scheduler.ports.workers.reports import ReportProgress
from scheduler.services.follow_changes import FollowedState, told
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.measuring.learn_throughput import ThroughputLearner
from tests.builders.core import as_change
from tests.builders.stage import CHIP, TENANT, Stage, make_spec, stage


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened
        opened.reconciler.close()


@pytest.fixture
def learner(scene: Stage) -> ThroughputLearner:
    return ThroughputLearner(scene.storage.throughputs, scene.clock, lead=scene.current_lead)


def running(scene: Stage) -> str:
    """Let a training with two devices for each of two workers run; return its attempt."""
    job = scene.submit(make_spec(workers=2, devices=2))
    scene.turn()
    return scene.job(job).attempts[0].id


def report(scene: Stage, learner: ThroughputLearner, attempt: str, speed: float) -> None:
    progress = Progress(1, 10, None, speed, scene.clock.now())
    with scene.followed.hold() as state:
        learner.see(as_change(ProgressReported(attempt, progress)), state)


def test_what_is_reported_of_the_whole_gang_is_kept_per_device(scene: Stage, learner: ThroughputLearner) -> None:
    attempt = running(scene)
    for speed in (100.0, 300.0):
        report(scene, learner, attempt, speed)
    assert learning(learner)() == LEARNING_INTERVAL_S
    (found,) = scene.storage.throughputs.all(TENANT)
    assert (found.family, found.chip) == (JobFamily(TENANT, make_spec().name), CHIP)
    assert (found.units_per_s, found.reports) == (50.0, 2)
    learner.learn_once()
    assert scene.storage.throughputs.all(TENANT) == [found]


@pytest.mark.parametrize("speed", [nan, inf, 0.0, -5.0])
def test_what_is_no_speed_is_not_learnt(scene: Stage, learner: ThroughputLearner, speed: float) -> None:
    report(scene, learner, running(scene), speed)
    report(scene, learner, "nobody", 5.0)
    learner.learn_once()
    assert scene.storage.throughputs.all(None) == []


def test_reports_are_heard_of_by_the_feed(scene: Stage, learner: ThroughputLearner) -> None:
    attempt, changes = running(scene), list[int]()
    followed = FollowedState(
        scene.storage.views, scene.clock, listener=told(lambda change, _: changes.append(change.number), learner.see)
    )
    written = ReportProgress(attempt, 1, Progress(1, 10, None, 80.0, scene.clock.now()))
    scene.storage.journal.write([written])
    followed.follow()
    learner.learn_once()
    assert len(changes) == 1
    assert scene.storage.throughputs.all(None)[0].units_per_s == 20.0


def test_who_leads_no_longer_learns_nothing(scene: Stage, learner: ThroughputLearner) -> None:
    report(scene, learner, running(scene), 80.0)
    Lead.take(scene.storage.leadership, "another one")
    with pytest.raises(LeadershipLost):
        learner.learn_once()
