"""What gangs are told of their start is kept and scored."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scheduler.adapters.telemetry.metrics import PrometheusTelemetry
from scheduler.core.forecasting.forecast import Forecast
from scheduler.core.forecasting.scene import Scene
from scheduler.core.forecasting.scoring import ENOUGH
from scheduler.core.model.identifiers import AttemptId, GroupId, group_id
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis
from scheduler.core.model.waiting.score import Score, ToldStart
from scheduler.loops.steps import SCORING_INTERVAL_S, scoring_estimates
from scheduler.ports.journal import StorageUnavailable
from scheduler.services.cancel_job import cancel_job
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.measuring.score_estimates import AFTER_S, EstimateScorer
from scheduler.services.questions import forecasting
from scheduler.services.questions.estimate_records import RENEWED_AFTER_S, EstimateRecords
from scheduler.services.questions.forecasting import Forecaster
from tests.builders.stage import TENANT, Stage, make_spec, stage
from tests.builders.telemetry import value


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened
        opened.reconciler.close()


def scorer_of(scene: Stage, metrics: PrometheusTelemetry, lead: Lead | None = None) -> EstimateScorer:
    forecaster = Forecaster(scene.followed, scene.clock, in_background=False)
    estimates, lead = scene.storage.estimates, lead or scene.current_lead
    return EstimateScorer(scene.followed, forecaster, estimates, scene.clock, lead=lead, telemetry=metrics)


def waiting_behind(scene: Stage, limit_s: int) -> tuple[str, str]:
    """Let a job with a limit hold all there is; return it, and one that waits for it."""
    first = scene.submit(make_spec(workers=8, time_limit_s=limit_s))
    scene.turn()
    second = scene.submit(make_spec(workers=8))
    scene.turn()
    return first, second


def test_who_waited_for_a_minute_is_scored_when_it_starts_by_what_it_was_told_then(scene: Stage) -> None:
    metrics = PrometheusTelemetry("1")
    scorer = scorer_of(scene, metrics)
    first, second = waiting_behind(scene, 590)
    assert scoring_estimates(scorer)() == SCORING_INTERVAL_S
    assert scene.storage.estimates.open() == set(), "it has not waited for a minute"
    scene.clock.advance(AFTER_S)
    told_at = scene.clock.now()
    scorer.score_once()
    scene.clock.advance(40)
    scorer.score_once()
    assert scene.storage.estimates.open() == {(f"{group_id(second, 0)}-a1", StartBasis.LIMITS)}
    scorer_of(scene, metrics).score_once()
    cancel_job(scene.storage.journal, scene.clock, job=first, tenant=TENANT, by="somebody")
    for _ in range(3):
        scene.turn()
    scorer.score_once()
    (score,) = scene.storage.estimates.scores(told_at, 9)
    assert (score.told.at, score.waited_s) == (told_at, AFTER_S)
    labels = {"basis": "limits"}
    assert value(metrics.registry, "medley_start_estimate_error_ratio_count", labels) == 1
    assert value(metrics.registry, "medley_start_estimate_error_ratio_sum", labels) == pytest.approx(score.ratio)


def test_one_forecast_is_made_for_all_who_wait_however_much_happens_meanwhile(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = waiting_behind(scene, 590)
    third = scene.submit(make_spec(workers=8, time_limit_s=60))
    scene.turn()
    scorer = scorer_of(scene, PrometheusTelemetry("1"))
    scorer.score_once()
    scene.clock.advance(AFTER_S)
    made: list[int] = []

    class OnABusyCluster(Forecast):
        def of(self, group: GroupId, now: datetime) -> Estimate | NoEstimate | None:
            scene.submit(make_spec())
            scene.followed.follow()
            return super().of(group, now)

    def forecast(found: Scene) -> Forecast:
        made.append(1)
        return OnABusyCluster(found)

    monkeypatch.setattr(forecasting, "Forecast", forecast)
    scorer.score_once()
    assert {name for name, _ in scene.storage.estimates.open()} == {f"{group_id(job, 0)}-a1" for job in (second, third)}
    assert len(made) == 1


class Past:
    """A past in which all who were told ten minutes by time limits waited for twenty."""

    def __init__(self) -> None:
        self.answers = True

    def open(self) -> set[tuple[AttemptId, StartBasis]]:
        return set()

    def keep(self, *_: object) -> list[Score]:
        return []

    def scores(self, since: datetime, limit: int) -> list[Score]:
        if not self.answers:
            raise StorageUnavailable("away")
        at = since + timedelta(minutes=10)
        told = ToldStart("a-g0-a1", StartBasis.LIMITS, since, at, at)
        return [Score(told, at + timedelta(minutes=10))] * min(limit, ENOUGH)


def test_what_is_told_is_as_vague_as_past_estimates_were_wrong_and_the_past_is_remembered_while_nobody_answers(
    scene: Stage,
) -> None:
    _, second = waiting_behind(scene, 590)
    past = Past()
    records = EstimateRecords(past, scene.clock)
    forecaster = Forecaster(scene.followed, scene.clock, in_background=False, records=records)
    group, now = group_id(second, 0), scene.clock.now()
    scored, told = forecaster.latest().of(group, now), forecaster.estimate(group)
    assert isinstance(scored, Estimate)
    assert isinstance(told, Estimate)
    assert (told.latest - now, scored.latest - now) == (timedelta(seconds=1_200), timedelta(seconds=600))
    assert told.record is not None
    assert (told.record.scored, told.record.half_within, told.record.in_range) == (ENOUGH, 2.0, 0.0)
    past.answers = False
    scene.clock.advance(RENEWED_AFTER_S + 1)
    later = forecaster.estimate(group)
    assert isinstance(later, Estimate)
    assert later.record == told.record


def test_an_old_leader_learns_that_it_leads_no_longer(scene: Stage) -> None:
    old = scene.current_lead
    waiting_behind(scene, 590)
    scorer = scorer_of(scene, PrometheusTelemetry("1"), old)
    scorer.score_once()
    scene.lead()
    scene.clock.advance(AFTER_S)
    with pytest.raises(LeadershipLost):
        scorer.score_once()
