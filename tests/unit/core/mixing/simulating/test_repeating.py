"""Steps of many micro-batches, of which only the first and the last are simulated."""

import random
from dataclasses import replace

import pytest

from scheduler.core.mixing.pipeline import PipelineTimes
from scheduler.core.mixing.simulating import repeating
from scheduler.core.mixing.simulating.repeating import step_s
from scheduler.core.mixing.simulating.running import run
from scheduler.core.mixing.simulating.timeline import Timeline
from tests.unit.core.mixing.simulating.test_running import even, pipeline

NOT_YET = ((27, 1.0), (47, 0.44), (47, 1.0))
"""Of these pipelines rounds do not repeat themselves within 300."""
DRAWN = [(seed, share) for seed in range(18) for share in (0.0, 0.44, 1.0)]


def both_s(seed: int, blocking_share: float) -> tuple[float, float]:
    """What counting rounds and what simulating all of them comes to."""
    times = replace(pipeline(random.Random(seed), blocking_share=blocking_share), micro_batches=600 + seed)
    return step_s(times, most=300), run(times).step_s


@pytest.mark.parametrize(("seed", "blocking_share"), DRAWN)
def test_counting_rounds_comes_to_what_simulating_all_of_them_does(seed: int, blocking_share: float) -> None:
    counted_s, simulated_s = both_s(seed, blocking_share)
    assert counted_s == pytest.approx(simulated_s, rel=1e-9)


@pytest.mark.parametrize(("seed", "blocking_share"), NOT_YET)
def test_where_rounds_do_not_repeat_yet_it_is_near(seed: int, blocking_share: float) -> None:
    counted_s, simulated_s = both_s(seed, blocking_share)
    assert counted_s == pytest.approx(simulated_s, rel=1e-3)


def test_a_few_micro_batches_are_simulated() -> None:
    times = even(4, 12, 0.7)
    assert step_s(times) == run(times).step_s


def test_a_million_micro_batches_take_a_million_periods() -> None:
    # Three seconds each, and once through the other three stages.
    assert step_s(even(4, 1_000_000)) == pytest.approx(3 * 1_000_000 + 3 * 3)


def test_no_more_are_simulated_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    simulated: list[int] = []

    def noted(times: PipelineTimes) -> Timeline:
        simulated.append(times.micro_batches)
        return run(times)

    monkeypatch.setattr(repeating, "run", noted)
    step_s(even(4, 720_720, 0.7, blocking_share=0.44))
    assert max(simulated) <= repeating.MOST_SIMULATED + repeating.MOST_ROUNDS
