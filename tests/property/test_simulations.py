"""What holds over time, whatever comes: tried by simulating."""

import pytest

from scheduler.core.model.group import FINAL, State
from tests.builders.simulating import arrival, crowd, simulate

HOUR_S = 3_600


@pytest.mark.parametrize("seed", range(4))
def test_every_job_that_can_run_does_so_under_random_load(seed: int) -> None:
    jobs = crowd(seed, 30)
    ran = simulate("core", jobs, seed=seed, until_s=48 * HOUR_S)
    for number in range(1, len(jobs) + 1):
        assert ran.times(State.PLACED, number), f"job {number} never had a place"
        assert ran.last(number) in FINAL


def test_a_large_gang_begins_though_small_jobs_never_stop_coming() -> None:
    small = [arrival(at_s, run_s=900, devices=4, limit_s=1_000, tenant="beta") for at_s in range(0, 12 * HOUR_S, 100)]
    gang = arrival(1_000, run_s=600, workers=2, chips=("fast",), limit_s=700)
    jobs = sorted([*small, gang], key=lambda job: job.at_s)
    number = 1 + jobs.index(gang)
    ran = simulate("core", jobs, until_s=12 * HOUR_S)
    (placed_s,) = ran.times(State.PLACED, number)
    assert placed_s - 1_000 <= 2_000, "what was running may end, and nothing more than that"
