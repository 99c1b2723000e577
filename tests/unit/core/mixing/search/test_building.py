"""A plan from its layout."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.memory import in_flight
from scheduler.core.mixing.plan import Transport
from scheduler.core.mixing.search.building import (
    ESTIMATED_ERROR,
    MEASURED_ERROR,
    Layout,
    StageLayout,
    built,
    fits,
    has_places,
    layout_of,
    simulated,
    times_of,
)
from scheduler.core.mixing.simulating.running import run
from scheduler.core.mixing.timing import step_s
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of
from tests.builders.searching import two_pools

LAYOUT = Layout(2, 1, (StageLayout("quick", 3, 2, recomputes=False), StageLayout("slow", 1, 4, recomputes=True)), (1,))


def test_it_says_all_of_the_layout() -> None:
    assert layout_of(built(two_pools(), LAYOUT)) == LAYOUT


def test_it_is_predicted_by_the_formula_and_then_by_the_simulation() -> None:
    problem = two_pools()
    plan = built(problem, LAYOUT)
    assert plan.prediction.step_s == pytest.approx(step_s(times_of(problem, plan)))
    assert not plan.prediction.is_simulated
    confirmed = simulated(problem, plan)
    assert confirmed.prediction.step_s == pytest.approx(run(times_of(problem, plan)).step_s)
    assert confirmed.prediction.is_simulated


def test_layers_follow_each_other() -> None:
    plan = built(two_pools(), LAYOUT)
    assert [(stage.first_layer, stage.layers) for stage in plan.stages] == [(0, 3), (3, 1)]
    assert plan.devices == 2 * (2 + 4)


def test_a_warm_up_is_held_in_memory_by_the_stages_before_it() -> None:
    problem = two_pools()
    more = built(problem, LAYOUT).stages[0].memory.activations
    less = built(problem, replace(LAYOUT, extra_warm_up=(0,))).stages[0].memory.activations
    assert more / less == pytest.approx(in_flight(0, 2, 4, (1,)) / in_flight(0, 2, 4, (0,)))


def test_what_exceeds_a_device_does_not_fit() -> None:
    roomy, full = (
        problem_of(pool_of("quick"), pool_of("slow")),
        problem_of(pool_of("quick", memory_bytes=1_200_000_000), pool_of("slow")),
    )
    assert fits(built(roomy, LAYOUT))
    assert not fits(built(full, LAYOUT))


def test_an_estimated_rate_makes_the_range_wider() -> None:
    estimate = problem_of(pool_of("quick", is_estimate=True), pool_of("slow"))
    for problem, error in ((two_pools(), MEASURED_ERROR), (estimate, ESTIMATED_ERROR)):
        told = built(problem, LAYOUT).prediction
        assert told.high_s / told.step_s == pytest.approx(1 + error)
        assert told.low_s / told.step_s == pytest.approx(1 - error)


def test_no_step_is_shorter_than_the_ideal() -> None:
    told = built(two_pools(), LAYOUT).prediction
    assert 0 < told.ideal_share <= 1
    assert 0 < told.flops_utilisation < 1


def test_chips_of_two_vendors_speak_through_hosts() -> None:
    plan = built(problem_of(pool_of("quick", vendor="one"), pool_of("slow", vendor="two")), LAYOUT)
    assert plan.boundaries[0].transport is Transport.HOST


@pytest.mark.parametrize(("replicas", "degree"), [(1, 1), (1, 2), (2, 1)])
def test_a_plan_that_one_node_has_room_for_is_as_quick_on_a_pool_of_several(replicas: int, degree: int) -> None:
    stage = StageLayout("a", 2, degree, recomputes=False)
    layout = Layout(replicas, 1, (stage, stage), (0,))
    one, several = problem_of(pool_of(nodes=1)), problem_of(pool_of(nodes=3))
    assert built(several, layout) == built(one, layout)
    wider = replace(layout, data_parallel=4)
    assert built(several, wider).boundaries[0].transfer_s > built(several, layout).boundaries[0].transfer_s


def test_one_stage_of_a_tied_model_has_the_embedding_once() -> None:
    alone = Layout(1, 1, (StageLayout("a", 4, 1, recomputes=False),), ())
    tied = problem_of(training=training_of(replace(SMALL, ties_embeddings=True)))
    apart = problem_of()
    saved = built(apart, alone).stages[0].memory.gradients - built(tied, alone).stages[0].memory.gradients
    assert saved == 4 * SMALL.vocabulary * SMALL.hidden


@pytest.mark.parametrize(
    ("chips_per_node", "nodes", "has"),
    [(4, 3, True), (4, 2, False), (6, 2, True), (5, 2, False), (12, 1, True), (2, 6, False), (1, 12, False)],
)
def test_a_plan_has_places_where_every_tensor_parallel_group_is_on_one_node(
    chips_per_node: int, nodes: int, *, has: bool
) -> None:
    stages = (StageLayout("a", 2, 2, recomputes=False), StageLayout("a", 2, 4, recomputes=False))
    plan = built(problem_of(), Layout(2, 1, stages, (0,)))
    assert has_places(problem_of(pool_of(chips_per_node=chips_per_node, nodes=nodes)), plan) is has
