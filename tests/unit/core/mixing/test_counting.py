"""Parameters and operations of a model."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.asked.shape import Experts
from scheduler.core.mixing.counting import (
    active_parameters,
    embedding_parameters,
    head_forward_flops,
    head_parameters,
    layer_forward_flops,
    layer_parameters,
    model_flops,
    parameters,
)
from tests.builders.mixing import SMALL, training_of


def test_a_layer_without_gate_has_twelve_times_the_square_of_the_hidden_size() -> None:
    assert layer_parameters(SMALL) == 12 * 1_000**2


def test_a_gate_is_a_third_matrix_and_shared_keys_are_narrower() -> None:
    shape = replace(SMALL, is_gated=True, key_value_width=250)
    assert layer_parameters(shape) == 2 * 1_000 * (1_000 + 250) + 3 * 1_000 * 4_000


def test_a_layer_holds_all_experts_and_a_router_and_a_token_meets_those_it_goes_through() -> None:
    shape = replace(SMALL, experts=Experts(8, 2))
    attention, router, expert = 4 * 1_000**2, 8 * 1_000, 8 * 1_000**2
    assert layer_parameters(shape) == attention + router + 8 * expert
    assert active_parameters(shape) == attention + router + 2 * expert


def test_positions_that_are_learnt_are_rows_of_the_embedding() -> None:
    assert embedding_parameters(replace(SMALL, learnt_positions=500)) == 10_500 * 1_000
    assert head_parameters(SMALL) == 10_000 * 1_000


def test_a_tied_head_counts_once() -> None:
    apart = parameters(SMALL)
    assert apart - parameters(replace(SMALL, ties_embeddings=True)) == head_parameters(SMALL)


def test_a_token_costs_two_operations_a_parameter_and_its_scores() -> None:
    whole = training_of(is_causal=False)
    assert layer_forward_flops(whole) == 2 * layer_parameters(SMALL) + 4 * 100 * 1_000
    assert layer_forward_flops(training_of()) == 2 * layer_parameters(SMALL) + 2 * 100 * 1_000
    assert head_forward_flops(whole) == 2 * 10_000 * 1_000


def test_a_step_of_a_model_costs_what_the_published_formula_says() -> None:
    """Of arXiv 2104.04473, without recomputation: `72 B s L h^2 (1 + s/6h + V/12Lh)`."""
    training = training_of(is_causal=False)
    batch, sequence, layers, hidden, words = 8, 100, 4, 1_000, 10_000
    share = 1 + sequence / (6 * hidden) + words / (12 * layers * hidden)
    assert model_flops(training) == pytest.approx(72 * batch * sequence * layers * hidden**2 * share)
