"""Times of a layer, the embedding and the head."""

import pytest

from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey, Profiles
from scheduler.core.mixing.costs import embedding_costs, head_costs, is_measured, layer_costs, times_of
from scheduler.core.mixing.counting import head_forward_flops, layer_forward_flops, layer_parameters
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of

TRAINING = training_of()
LAYER_S = 100 * layer_forward_flops(TRAINING) / 5e11
"""Forward, of one sequence on one device at half of its rate."""
INPUT_BYTES = 2 * 100 * 1_000


def measured(*layers: tuple[int, int, LayerProfile]) -> Problem:
    """Return a problem of whose one chip layers were measured: degree, micro-batch and times."""
    known = {ProfileKey("chip-a", degree, micro_batch): times for degree, micro_batch, times in layers}
    return problem_of(profiles=Profiles(1, known))


def busy_s(problem: Problem, pool: ChipPool, degree: int, micro_batch: int) -> float:
    costs = layer_costs(problem, pool, tensor_parallel=degree, micro_batch=micro_batch, recomputes=False)
    return costs.forward_s + costs.backward_s


def test_a_layer_takes_its_operations_at_the_rate_that_layers_reach() -> None:
    costs = layer_costs(problem_of(), pool_of(), tensor_parallel=1, micro_batch=3, recomputes=False)
    assert costs.forward_s == pytest.approx(3 * LAYER_S)
    assert costs.backward_s == pytest.approx(2 * 3 * LAYER_S)
    assert costs.parameters == layer_parameters(SMALL)


def test_tensor_parallelism_splits_the_work_and_adds_four_all_reduces() -> None:
    costs = layer_costs(problem_of(), pool_of(), tensor_parallel=4, micro_batch=1, recomputes=False)
    reduction_s = 2 * 3 / 4 * INPUT_BYTES / 1e9
    assert costs.forward_s == pytest.approx(LAYER_S / 4 + 2 * reduction_s)
    assert costs.forward_s + costs.backward_s == pytest.approx(3 * LAYER_S / 4 + 4 * reduction_s)
    assert costs.parameters == layer_parameters(SMALL) // 4


def test_recomputing_adds_a_third_of_the_work_and_two_all_reduces() -> None:
    plain, again = (
        layer_costs(problem_of(), pool_of(), tensor_parallel=4, micro_batch=1, recomputes=recomputes)
        for recomputes in (False, True)
    )
    assert again.forward_s == plain.forward_s
    assert again.backward_s == pytest.approx(plain.backward_s + plain.forward_s)
    assert again.activation_bytes == INPUT_BYTES < plain.activation_bytes


def test_the_head_takes_its_operations_and_one_all_reduce() -> None:
    alone, split = (head_costs(problem_of(), pool_of(), tensor_parallel=degree, micro_batch=1) for degree in (1, 2))
    whole_s = 3 * 100 * head_forward_flops(TRAINING) / 5e11
    assert alone.forward_s + alone.backward_s == pytest.approx(whole_s)
    assert split.forward_s + split.backward_s == pytest.approx(whole_s / 2 + INPUT_BYTES / 1e9)
    assert alone.logits_bytes == 6 * 100 * 10_000


def test_the_embedding_takes_no_time_but_to_add_up_its_parts() -> None:
    alone, split = (
        embedding_costs(problem_of(), pool_of(), tensor_parallel=degree, micro_batch=1) for degree in (1, 2)
    )
    assert alone.forward_s + alone.backward_s == 0
    assert split.forward_s + split.backward_s == pytest.approx(INPUT_BYTES / 1e9)
    assert split.parameters == 10_000 * 1_000 // 2


def test_what_was_measured_goes_before_the_formula() -> None:
    problem = measured((2, 1, LayerProfile(0.1, 0.3, 0.01, 0.6)))
    layer = layer_costs(problem, pool_of(), tensor_parallel=2, micro_batch=1, recomputes=True)
    head = head_costs(problem, pool_of(), tensor_parallel=2, micro_batch=1)
    embedding = embedding_costs(problem, pool_of(), tensor_parallel=2, micro_batch=1)
    assert (layer.forward_s, layer.backward_s) == (0.1, 0.4)
    assert head.forward_s + head.backward_s == pytest.approx(0.6)
    assert embedding.forward_s == 0.01


def test_what_was_measured_of_one_chip_says_nothing_of_another() -> None:
    problem = measured((1, 1, LayerProfile(1.0, 1.0)))
    assert busy_s(problem, pool_of("b"), 1, 1) == pytest.approx(3 * LAYER_S)


def test_an_end_that_was_not_measured_is_reckoned_as_wrong_as_the_layer_was() -> None:
    problem = measured((1, 1, LayerProfile(2 * LAYER_S, 4 * LAYER_S)))
    reckoned = head_costs(problem_of(), pool_of(), tensor_parallel=1, micro_batch=1)
    corrected = head_costs(problem, pool_of(), tensor_parallel=1, micro_batch=1)
    assert corrected.forward_s == pytest.approx(2 * reckoned.forward_s)


def test_another_degree_is_corrected_by_what_the_formula_was_wrong_by_at_the_nearest_that_was_measured() -> None:
    of_two, of_one = (busy_s(problem_of(), pool_of(), degree, 1) for degree in (2, 1))
    problem = measured(
        (1, 1, LayerProfile(of_one / 3 * 5, of_one * 2 / 3 * 5)),
        (2, 1, LayerProfile(of_two / 2 * 3, of_two / 2 * 3)),
    )
    expected_s = 3 * of_two / 2
    assert busy_s(problem, pool_of(), 2, 1) == pytest.approx(2 * expected_s)
    assert busy_s(problem, pool_of(), 4, 1) / busy_s(problem_of(), pool_of(), 4, 1) == pytest.approx(3, rel=0.1)


def test_from_one_measured_micro_batch_others_follow_in_proportion_head_and_embedding_too() -> None:
    problem = measured((1, 1, LayerProfile(0.1, 0.3, 0.01, 0.6)))
    times = times_of(problem, pool_of(), tensor_parallel=1, micro_batch=4)
    found = (times.layer_forward_s, times.layer_backward_s, times.embedding_s, times.head_s)
    assert found == pytest.approx((0.4, 1.2, 0.04, 2.4))


def test_between_two_measured_micro_batches_times_are_on_a_line() -> None:
    problem = measured((1, 1, LayerProfile(0.1, 0.2)), (1, 4, LayerProfile(0.22, 0.44)))
    assert busy_s(problem, pool_of(), 1, 2) == pytest.approx(0.3 + 0.36 / 3)


def test_a_pool_is_measured_where_its_rate_or_a_layer_on_its_chip_was() -> None:
    guessed = pool_of(is_estimate=True)
    assert is_measured(problem_of(), pool_of())
    assert not is_measured(problem_of(), guessed)
    assert is_measured(measured((8, 8, LayerProfile(1.0, 2.0))), guessed)
