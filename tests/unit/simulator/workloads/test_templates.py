from collections import Counter
from random import Random
from statistics import median

import pytest

from scheduler.core.model.resources import WorkerShape
from scheduler.simulator.workloads.spans import Fixed, LogNormal, Uniform
from scheduler.simulator.workloads.templates import HOUR_S, Choice, Drawn, Limit, Listed, Rate, Size, Template
from tests.builders.simulating import arrival

DAY_S = 24 * HOUR_S


def template(name: str = "sort", *, per_hour: float = 100.0, rate: Rate | None = None) -> Template:
    return Template(
        name=name,
        tenants=Choice.of([("alpha", 3.0), ("beta", 1.0)]),
        user="ada",
        rate=rate or Rate(per_hour),
        sizes=Choice.of([(Size(1, 8), 1.0), (Size(4, 8), 1.0)]),
        run=Fixed(600),
        chips=("fast",),
        cpu_milli=1_000,
        memory_mib=4_096,
        limit=Limit(times=2),
    )


def test_jobs_come_as_often_as_was_said_in_the_order_of_time() -> None:
    found = list(template().arrivals(seed=1, until_s=DAY_S))
    assert 2_200 < len(found) < 2_600
    assert [job.at_s for job in found] == sorted(job.at_s for job in found)
    assert max(job.at_s for job in found) < DAY_S


def test_they_are_of_the_tenants_and_sizes_that_were_said() -> None:
    found = list(template().arrivals(seed=1, until_s=DAY_S))
    assert 0.7 < Counter(job.tenant for job in found)["alpha"] / len(found) < 0.8
    assert {job.spec.workers for job in found} == {1, 4}
    assert {job.spec.shape for job in found} == {WorkerShape(8, 1_000, 4_096)}
    assert {job.spec.time_limit_s for job in found} == {1_200}


def test_a_day_has_its_busy_hours() -> None:
    day = tuple(24.0 if hour == 9 else 0.0 for hour in range(24))
    found = list(Rate(10, day).times(Random(1), 3 * DAY_S))
    assert {int(at_s // HOUR_S) % 24 for at_s in found} == {9}
    assert 600 < len(found) < 840


def test_bursts_come_together_and_are_rarer() -> None:
    found = list(template(rate=Rate(100, burst=50)).arrivals(seed=1, until_s=10 * DAY_S))
    assert set(Counter(job.at_s for job in found).values()) == {50}
    assert 20_000 < len(found) < 28_000


def test_another_sort_of_jobs_changes_nothing_in_the_others() -> None:
    alone = list(Drawn((template(),)).arrivals(seed=1, until_s=DAY_S))
    both = list(Drawn((template("other"), template())).arrivals(seed=1, until_s=DAY_S))
    assert [job for job in both if job.spec.name == "sort"] == alone
    assert [job.at_s for job in both] == sorted(job.at_s for job in both)


def test_another_seed_gives_other_jobs() -> None:
    first, again, other = (list(template().arrivals(seed=seed, until_s=DAY_S)) for seed in (1, 1, 2))
    assert first == again != other


def test_listed_jobs_come_as_they_are() -> None:
    jobs = (arrival(0, tenant="beta"), arrival(5), arrival(9))
    listed = Listed(jobs)
    assert listed.tenants == ("alpha", "beta")
    assert tuple(listed.arrivals(seed=7, until_s=6)) == jobs[:2]


def test_run_times_have_the_median_and_the_tail_that_were_said() -> None:
    random = Random(1)
    found = sorted(LogNormal(100, 500, 2_000).draw(random) for _ in range(4_000))
    assert median(found) == pytest.approx(100, rel=0.1)
    assert found[3_600] == pytest.approx(500, rel=0.15)
    assert found[-1] == 2_000


def test_even_run_times_stay_within_their_bounds() -> None:
    random = Random(1)
    found = [Uniform(10, 20).draw(random) for _ in range(1_000)]
    assert 10 <= min(found) < 11
    assert 19 < max(found) <= 20


@pytest.mark.parametrize(("limit", "want"), [(Limit(), None), (Limit(seconds=90), 90), (Limit(times=1.5), 150)])
def test_a_time_limit_is_the_same_for_all_or_follows_the_run_time(limit: Limit, want: int | None) -> None:
    assert limit.of(100) == want
