"""Looking at what is held, again and again: minutes are summed up, and only while this process leads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.core.model.attempt import Progress
from scheduler.loops.steps import SAMPLING_INTERVAL_S, sampling
from scheduler.ports.journal import Outcome
from scheduler.ports.records.usage import SeriesRow, UsagePeriod
from scheduler.ports.workers.reports import ReportProgress
from scheduler.services.keep_lead import Lead, LeadershipLost
from scheduler.services.measuring.sample_usage import BUSY_WITHIN_S, LONGEST_GAP_S, UsageSampler
from tests.builders.database import NOON, after_noon
from tests.builders.stage import DEVICES_PER_NODE, NODES, TENANT, Stage, make_spec, stage

ALL = NODES * DEVICES_PER_NODE
MINUTE_S = 60.0


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as opened:
        yield opened
        opened.reconciler.close()


@pytest.fixture
def sampler(scene: Stage) -> UsageSampler:
    return UsageSampler(scene.followed, scene.storage.usage, scene.clock, lead=scene._lead)


def watch(scene: Stage, sampler: UsageSampler, *, seconds: float, step_s: float = SAMPLING_INTERVAL_S) -> None:
    """Look at every step for so long."""
    for _ in range(round(seconds / step_s)):
        scene.clock.advance(step_s)
        sampler.sample_once()


def minutes(scene: Stage, by: str = "pool") -> list[tuple[int, SeriesRow]]:
    found = scene.storage.usage.series(after_noon(-600), after_noon(6_000), step_s=60, by=by, tenant=None)
    covered = dict(found.covered_ms)
    return [(covered[row.at], row) for row in found.rows]


def average(covered_ms: int, amount: int) -> float:
    return round(amount / covered_ms / 1_000, 3)


def report(scene: Stage, attempt: str, step: int) -> Outcome:
    progress = Progress(step, 1_000, 1.0, 10.0, scene.clock.now())
    return scene.storage.journal.write([ReportProgress(attempt, 1, progress)])[0]


def test_each_minute_tells_what_was_held_and_what_of_it_works(scene: Stage, sampler: UsageSampler) -> None:
    jobs = [scene.submit(make_spec(workers=2)) for _ in range(3)]
    scene.turn()
    busy, idle, _silent = (scene.job(job).attempts[0].id for job in jobs)
    report(scene, idle, 1)
    scene.clock.advance(BUSY_WITHIN_S)
    report(scene, busy, 1)
    sampler.sample_once()
    scene.clock.advance(1.0)
    watch(scene, sampler, seconds=2 * MINUTE_S)
    for covered_ms, row in minutes(scene)[1:2]:
        assert covered_ms == 60_000
        figures = [average(covered_ms, amount) for amount in (row.devices, row.allocated, row.busy, row.unreported)]
        assert figures == [ALL, 6, 2, 2]
    assert {row.name for _, row in minutes(scene, "tenant")} == {TENANT}


def test_what_was_seen_counts_until_the_next_look(scene: Stage, sampler: UsageSampler) -> None:
    sampler.sample_once()
    scene.clock.advance(30.0)
    scene.submit(make_spec(workers=4))
    scene.turn()
    sampler.sample_once()
    watch(scene, sampler, seconds=45.0, step_s=15.0)
    ((covered_ms, row),) = minutes(scene)
    assert covered_ms == 60_000 - NOON.microsecond // 1_000
    assert 1.9 < average(covered_ms, row.allocated) < 2.1


def test_what_lies_between_looks_that_are_far_apart_is_not_covered(scene: Stage, sampler: UsageSampler) -> None:
    sampler.sample_once()
    watch(scene, sampler, seconds=30.0)
    scene.clock.advance(LONGEST_GAP_S + 1)
    sampler.sample_once()
    watch(scene, sampler, seconds=60.0)
    assert [covered_ms for covered_ms, _ in minutes(scene)] == [30_000, 28_877]


def test_an_ending_process_keeps_the_minute_under_way(scene: Stage, sampler: UsageSampler) -> None:
    sampler.sample_once()
    scene.clock.advance(10.0)
    sampler.close()
    assert [covered_ms for covered_ms, _ in minutes(scene)] == [10_000]
    sampler.close()
    assert [covered_ms for covered_ms, _ in minutes(scene)] == [10_000]


def test_who_leads_no_longer_samples_no_longer(scene: Stage, sampler: UsageSampler) -> None:
    step = sampling(sampler)
    assert step() == SAMPLING_INTERVAL_S
    Lead.take(scene.storage.leadership, "another")
    scene.clock.advance(59.0)
    step()
    scene.clock.advance(30.0)
    with pytest.raises(LeadershipLost):
        step()
    sampler.close()
    assert minutes(scene) == []


def test_a_minute_that_the_database_does_not_take_is_lost_and_not_doubled(
    scene: Stage, sampler: UsageSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, outages = scene.storage.usage.record, [OSError("away")]

    def fail_once(period: UsagePeriod, epoch: int) -> bool:
        if outages:
            raise outages.pop()
        return record(period, epoch)

    # A Storage is frozen, and its parts are not.
    monkeypatch.setattr(type(scene.storage.usage), "record", lambda _self, period, epoch: fail_once(period, epoch))
    sampler.sample_once()
    scene.clock.advance(59.0)
    sampler.sample_once()
    scene.clock.advance(10.0)
    with pytest.raises(OSError, match="away"):
        sampler.sample_once()
    watch(scene, sampler, seconds=120.0)
    assert [round(covered_ms / 1_000) for covered_ms, _ in minutes(scene)] == [60, 60]
