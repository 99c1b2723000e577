"""The formula in arrays is the formula of one pipeline."""

import random

import numpy as np
import pytest

from scheduler.core.mixing.asked.problem import Runtime
from scheduler.core.mixing.memory import in_flight as exact_in_flight
from scheduler.core.mixing.search.building import Layout, StageLayout, built, fits, layout_of
from scheduler.core.mixing.search.layering.scoring import Dealt, busy_s, fits_memory, in_flight, step_s
from tests.builders.mixing import pool_of, problem_of
from tests.builders.searching import laid_out, two_pools

RUNS = (("quick", 1, 2), ("slow", 2, 2))


def drawn(draw: random.Random) -> Dealt:
    cuts = sorted(draw.sample(range(1, 4), 3))
    layers = np.diff([0, *cuts, 4])
    extra = [draw.randint(0, 2) for _ in range(3)]
    return Dealt(layers[None], np.array([[draw.random() < 0.5 for _ in range(4)]]), np.array([extra]))


def layout(dealt: Dealt) -> Layout:
    pools = ("quick", "quick", "slow", "slow")
    degrees = (1, 1, 2, 2)
    stages = tuple(
        StageLayout(pool, int(count), degree, bool(again))
        for pool, degree, count, again in zip(pools, degrees, dealt.layers[0], dealt.recomputes[0], strict=True)
    )
    return Layout(1, 1, stages, tuple(dealt.extra[0].tolist()))


@pytest.mark.parametrize("blocking_share", [0.0, 0.44])
@pytest.mark.parametrize("seed", range(10))
def test_a_step_is_that_of_the_plan(seed: int, blocking_share: float) -> None:
    problem = two_pools(runtime=Runtime(blocking_share=blocking_share))
    dealt = drawn(random.Random(seed))
    plan = built(problem, layout(dealt))
    laid = laid_out(problem, *RUNS)
    assert step_s(laid, dealt)[0] == pytest.approx(plan.prediction.step_s)
    assert busy_s(laid, dealt.layers, dealt.recomputes)[0] == pytest.approx(
        [stage.forward_s + stage.backward_s for stage in plan.stages]
    )
    assert layout_of(plan) == layout(dealt)


@pytest.mark.parametrize("seed", range(10))
def test_in_flight_is_that_of_the_schedule(seed: int) -> None:
    dealt = drawn(random.Random(seed))
    held = in_flight(laid_out(two_pools(), *RUNS), dealt.extra)[0]
    assert held.tolist() == [exact_in_flight(stage, 4, 8, dealt.extra[0].tolist()) for stage in range(4)]


@pytest.mark.parametrize("memory_bytes", [1_300_000_000, 1_330_000_000, 1_400_000_000, 3_000_000_000])
def test_what_fits_is_what_the_plan_says(memory_bytes: int) -> None:
    problem = problem_of(pool_of("quick", memory_bytes=memory_bytes), pool_of("slow", memory_bytes=memory_bytes))
    for seed in range(6):
        dealt = drawn(random.Random(seed))
        assert bool(fits_memory(laid_out(problem, *RUNS), dealt)[0]) == fits(built(problem, layout(dealt)))


def test_short_windows_are_never_longer() -> None:
    laid = laid_out(two_pools(), *RUNS)
    for seed in range(10):
        dealt = drawn(random.Random(seed))
        assert step_s(laid, dealt, roughly=True)[0] <= step_s(laid, dealt)[0] * (1 + 1e-9)
