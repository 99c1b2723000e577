"""When those that wait will start, asked of the followed state."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.model.identifiers import JobId, group_id
from scheduler.core.model.waiting.estimate import Estimate, StartBasis
from scheduler.services.explain_job import explain_job
from scheduler.services.questions.forecasting import RENEWED_AFTER_S, TOO_OLD_S, Forecaster
from tests.builders.eventually import eventually
from tests.builders.stage import Stage, make_spec, stage


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as scene:
        scene.submit(make_spec(workers=8, time_limit_s=600))
        scene.turn()
        yield scene


def latest_s(scene: Stage, forecaster: Forecaster, job: JobId) -> float | None:
    """Return in how many seconds a job starts at the latest; None where that is not known."""
    found = forecaster.estimate(group_id(job, 0))
    return (found.latest - scene.clock.now()).total_seconds() if isinstance(found, Estimate) else None


def test_an_explanation_says_when_the_job_is_expected_to_start(scene: Stage) -> None:
    waiting = scene.submit(make_spec(workers=8))
    scene.turn()
    forecaster = Forecaster(scene.followed, scene.clock, in_background=False)
    (explanation,) = explain_job(scene.followed, scene.clock, waiting, forecaster).explanations
    assert isinstance(explanation.estimate, Estimate)
    assert explanation.estimate.basis is StartBasis.LIMITS
    assert (explanation.estimate.latest - scene.clock.now()).total_seconds() == 610
    (without,) = explain_job(scene.followed, scene.clock, waiting).explanations
    assert without.estimate is None


def test_what_is_asked_for_again_is_made_anew_in_the_background_once_something_changed(scene: Stage) -> None:
    forecaster = Forecaster(scene.followed, scene.clock)
    try:
        first = scene.submit(make_spec(workers=8, time_limit_s=100))
        scene.turn()
        assert latest_s(scene, forecaster, first) == 610
        second = scene.submit(make_spec(workers=8))
        scene.turn()
        assert latest_s(scene, forecaster, second) is None, "it was not there yet"
        scene.clock.advance(RENEWED_AFTER_S + 1)
        eventually(lambda: latest_s(scene, forecaster, second), within_s=60)
        assert latest_s(scene, forecaster, second) == 610 + 110 - RENEWED_AFTER_S - 1
        scene.clock.advance(TOO_OLD_S + 1)
        assert latest_s(scene, forecaster, first) == 610 - RENEWED_AFTER_S - 1 - TOO_OLD_S - 1
    finally:
        forecaster.close()


def test_a_job_that_is_only_tried_comes_after_those_that_wait(scene: Stage) -> None:
    waiting = scene.submit(make_spec(workers=8, time_limit_s=100))
    scene.turn()
    forecaster = Forecaster(scene.followed, scene.clock, in_background=False)
    with scene.followed.hold() as state:
        job = state.jobs[waiting]
        tried = prospect_of(state, job, scene.clock.now())
    found = forecaster.estimate_new(job, tried)
    assert isinstance(found, Estimate)
