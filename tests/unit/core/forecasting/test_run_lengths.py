import pytest

from scheduler.core.forecasting.run_lengths import LONGEST_GUESS_S, LONGEST_S, RunLength, run_length
from scheduler.core.queueing.run_times import RunTimes
from tests.builders.core import make_job
from tests.unit.core.deciding.backfilling.test_promises import GRACE_S, limited


def learnt(*runs: float) -> RunTimes:
    times = RunTimes()
    for run_s in runs:
        times.note(make_job(), run_s)
    return times


@pytest.mark.parametrize(
    ("limit_s", "runs", "ran_s", "want"),
    [
        (None, (), 0, RunLength(600, LONGEST_GUESS_S, 2)),
        (None, (), 5_000, RunLength(10_000, 10_000, 2)),
        (1_000, (), 0, RunLength((1_000 + GRACE_S) / 2, 1_000 + GRACE_S, 0)),
        (1_000, (), 500, RunLength((1_500 + GRACE_S) / 2, 1_000 + GRACE_S, 0)),
        (1_000, (100, 200, 300), 0, RunLength(200, 300, 1)),
        (150, (100, 200, 300), 0, RunLength(150 + GRACE_S, 150 + GRACE_S, 0)),
        (None, (100, 200, 300), 250, RunLength(300, 300, 1)),
        (10**18, (), 0, RunLength(LONGEST_S, LONGEST_S, 0)),
    ],
)
def test_how_long_a_job_runs_is_as_firm_as_what_it_is_known_by(
    limit_s: int | None, runs: tuple[float, ...], ran_s: float, want: RunLength
) -> None:
    assert run_length(limited(make_job(), limit_s), learnt(*runs), ran_s=ran_s) == want
