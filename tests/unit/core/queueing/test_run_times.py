from dataclasses import replace
from math import inf, nan

import pytest

from scheduler.core.model.job import Job
from scheduler.core.model.measuring.throughput import JobFamily
from scheduler.core.queueing.run_times import LATEST, ExpectedRun, Likeness, RunTimes, family_of, stem
from tests.builders.core import make_job


def named(name: str, job: Job | None = None) -> Job:
    job = job or make_job()
    return replace(job, spec=replace(job.spec, name=name))


def learnt(*runs: tuple[Job, float]) -> RunTimes:
    times = RunTimes()
    for job, run_s in runs:
        times.note(job, run_s)
    return times


def test_half_and_nine_in_ten_of_the_runs_like_a_job_were_over_by_its_expected_times() -> None:
    times = learnt(*((named(f"train-{number}"), float(number)) for number in range(1, 11)))
    assert times.expect(named("train-99")) == ExpectedRun(5.0, 9.0, 10, Likeness.SAME_SHAPE)


@pytest.mark.parametrize(
    ("asked", "likeness"),
    [
        (named("train-7"), Likeness.SAME_SHAPE),
        (named("train-7", make_job(workers=4)), Likeness.SAME_NAME),
        (named("other"), Likeness.SAME_USER),
        (replace(named("other"), submitted_by="somebody"), Likeness.SAME_TENANT),
    ],
)
def test_the_closest_kind_with_enough_runs_speaks_for_a_job(asked: Job, likeness: Likeness) -> None:
    times = learnt(*((named(f"train-{number}"), 10.0) for number in range(3)))
    expected = times.expect(asked)
    assert expected is not None
    assert expected.likeness is likeness


def test_a_single_run_of_the_closest_kind_gives_way_to_several_of_a_wider_one() -> None:
    others = [(named("other"), 100.0)] * 3
    assert learnt((named("train"), 1.0), *others).expect(named("train")) == ExpectedRun(
        100.0, 100.0, 4, Likeness.SAME_USER
    )
    assert learnt((named("train"), 1.0)).expect(named("train")) == ExpectedRun(1.0, 1.0, 1, Likeness.SAME_SHAPE)


def test_nothing_is_expected_of_a_tenant_of_which_nothing_is_known() -> None:
    assert learnt((make_job(), 1.0)).expect(make_job(tenant="beta")) is None


def test_one_that_has_run_for_long_is_like_those_that_ran_longer() -> None:
    times = learnt(*((make_job(), run_s) for run_s in (1.0, 1.0, 1.0, 60.0, 90.0)))
    job = make_job()
    assert [getattr(times.expect(job, ran_s=ran_s), "middle_s", None) for ran_s in (0, 2, 70, 100)] == [1, 60, 90, 100]


def test_the_latest_runs_count_and_older_ones_are_forgotten() -> None:
    times = learnt(*((make_job(), 1.0) for _ in range(LATEST)), *((make_job(), 9.0) for _ in range(LATEST)))
    assert times.expect(make_job()) == ExpectedRun(9.0, 9.0, LATEST, Likeness.SAME_SHAPE)


@pytest.mark.parametrize("run_s", [-1.0, inf, nan, 1e300])
def test_what_is_no_time_is_not_learnt(run_s: float) -> None:
    assert learnt((make_job(), run_s)).expect(make_job()) is None


@pytest.mark.parametrize(("name", "want"), [("train-13", "train"), ("a_007", "a"), ("v2-x", "v2-x"), ("42", "42")])
def test_a_series_is_named_without_numbers_at_the_end(name: str, want: str) -> None:
    assert stem(name) == want


def test_a_job_is_of_the_family_that_it_names_or_of_those_named_as_it_is() -> None:
    job = named("resnet-17")
    assert family_of(job) == JobFamily("alpha", "resnet")
    assert family_of(replace(job, spec=replace(job.spec, family="vision"))) == JobFamily("alpha", "vision")
