"""What a stage takes of its devices' memory."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.asked.problem import Runtime
from scheduler.core.mixing.asked.shape import Experts
from scheduler.core.mixing.asked.training import Precision, Training
from scheduler.core.mixing.catalogue import MODELS
from scheduler.core.mixing.memory import (
    States,
    in_flight,
    layer_activation_bytes,
    logits_bytes,
    memory_limit,
    memory_use,
    state_bytes,
)
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of

TOKENS = 100
HIDDEN = 1_000


def kept(training: Training, *, degree: int = 1, micro_batch: int = 1, recomputes: bool = False) -> int:
    return layer_activation_bytes(training, tensor_parallel=degree, micro_batch=micro_batch, recomputes=recomputes)


def test_a_parameter_takes_18_bytes_or_6_and_a_share_of_12() -> None:
    assert state_bytes(training_of(), 1_000, 4) == States(2_000, 4_000, 3_000)
    assert state_bytes(training_of(shards_optimiser=False), 1_000, 4).total == 18_000
    assert state_bytes(training_of(), 1_000, 1).total == 18_000


def test_full_precision_has_no_master_copy() -> None:
    assert state_bytes(training_of(precision=Precision.FP32), 1_000, 1) == States(4_000, 4_000, 8_000)


def test_a_layer_keeps_34_bytes_for_each_number_of_its_input_and_tensor_parallelism_splits_them() -> None:
    assert kept(training_of()) == 34 * TOKENS * HIDDEN
    assert kept(training_of(), degree=4, micro_batch=2) == 34 * TOKENS * 2 * HIDDEN // 4


def test_without_sequence_parallelism_ten_of_them_are_not_split() -> None:
    assert kept(training_of(sequence_parallel=False), degree=4) == (10 + 24 // 4) * TOKENS * HIDDEN


def test_scores_that_are_kept_grow_with_the_square_of_the_sequence() -> None:
    more = kept(training_of(stores_scores=True), degree=2) - kept(training_of(), degree=2)
    assert more == 5 * SMALL.heads * TOKENS**2 // 2


def test_full_recomputation_keeps_the_input_alone_on_every_device() -> None:
    assert kept(training_of(stores_scores=True), degree=4, recomputes=True) == 2 * TOKENS * HIDDEN


def test_a_wide_feed_forward_network_keeps_more() -> None:
    wide = training_of(replace(SMALL, feed_forward_width=16_000, is_gated=True))
    assert kept(wide) == TOKENS * (12 * HIDDEN + 4 * HIDDEN + 6 * 16_000)


@pytest.mark.parametrize("name", ["llama3-8b", "llama3-70b", "llama3-405b"])
def test_models_of_the_usual_width_keep_the_published_34(name: str) -> None:
    training = Training(MODELS[name], 8, TOKENS)
    assert kept(training) == 34 * TOKENS * MODELS[name].hidden


def test_each_further_expert_of_a_token_keeps_its_own_tensors() -> None:
    one, two = (training_of(replace(SMALL, experts=Experts(8, active))) for active in (1, 2))
    assert kept(one) == kept(training_of())
    assert kept(two) - kept(one) == TOKENS * (2 * HIDDEN + 4 * 4_000)


def test_full_precision_keeps_twice_as_much() -> None:
    assert kept(training_of(precision=Precision.FP32)) == 2 * kept(training_of())


def test_logits_are_kept_with_a_copy_in_full_precision() -> None:
    assert logits_bytes(training_of(), tensor_parallel=4, micro_batch=2) == 6 * TOKENS * 2 * SMALL.vocabulary // 4


def test_the_first_stage_holds_most_micro_batches_and_none_more_than_there_are() -> None:
    assert [in_flight(stage, 4, 8, (0, 0, 0)) for stage in range(4)] == [4, 3, 2, 1]
    assert [in_flight(stage, 4, 2, (0, 0, 0)) for stage in range(4)] == [2, 2, 2, 1]


def test_stages_before_a_boundary_hold_its_extra_warm_ups() -> None:
    assert [in_flight(stage, 4, 99, (0, 3, 1)) for stage in range(4)] == [8, 7, 3, 1]


def test_a_share_of_a_device_is_planned_with() -> None:
    problem = problem_of(runtime=Runtime(memory_share=0.8))
    assert memory_limit(problem, pool_of()) == 8_000_000_000


def test_a_stage_takes_states_activations_logits_and_what_the_runtime_keeps() -> None:
    use = memory_use(problem_of(), pool_of(), parameters=1_000, data_parallel=2, activations=70, logits=8)
    assert use.total == 1_000 * (6 + 12 // 2) + 70 + 8 + 1_000_000_000
    assert use.limit == 9_000_000_000
