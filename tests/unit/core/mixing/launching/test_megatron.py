"""A plan in the options of Megatron-LM, read back by its documented grammar."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.launching.megatron import megatron_flags, pipeline_layout
from scheduler.core.mixing.plan import Plan
from tests.builders.plans import a_plan, a_plan_of_one_vendor, a_shape, a_stage, a_training
from tests.builders.training_options import layers_by_stage, parsed


@pytest.mark.parametrize("layers", [(8,), (5, 3), (1, 1, 6), (2, 3, 3, 3, 1), (1, 2, 2, 1, 1, 1), (12, 12, 11, 11, 10)])
def test_the_layout_says_the_layers_of_every_stage(layers: tuple[int, ...]) -> None:
    stages = layers_by_stage(pipeline_layout(a_plan_of_one_vendor(*layers)))
    assert [stage.count("t") for stage in stages] == list(layers)
    joined = "".join(stages)
    assert joined[0] == "E"
    assert joined[-1] == "L"
    assert (joined.count("E"), joined.count("L")) == (1, 1)


def test_alike_stages_are_said_once() -> None:
    assert pipeline_layout(a_plan_of_one_vendor(5, 6, 6, 6, 4)) == "Et*5|(t*6|)*3t*4L"


def test_the_options_say_how_the_step_is_made_up() -> None:
    options = parsed(megatron_flags(a_plan_of_one_vendor(5, 3), a_training()).arguments)
    assert (options["tensor_model_parallel_size"], options["pipeline_model_parallel_size"]) == (2, 2)
    assert (options["micro_batch_size"], options["global_batch_size"], options["seq_length"]) == (2, 32, 2048)
    assert options["bf16"]
    assert options["use_distributed_optimizer"]
    assert options["sequence_parallel"]
    assert options["recompute_granularity"] is None


def test_the_options_say_the_shape_of_the_model() -> None:
    shared = a_shape(key_value_width=256)
    options = parsed(megatron_flags(a_plan_of_one_vendor(8), a_training(shape=shared)).arguments)
    assert (options["num_layers"], options["hidden_size"], options["num_attention_heads"]) == (8, 1024, 16)
    assert options["group_query_attention"]
    assert options["num_query_groups"] == 4
    assert options["untie_embeddings_and_output_weights"]
    old = a_shape(is_gated=False, ties_embeddings=True, learnt_positions=1024)
    options = parsed(megatron_flags(a_plan_of_one_vendor(8), a_training(shape=old, sequence=1024)).arguments)
    assert options["max_position_embeddings"] == 1024
    assert not options["swiglu"]
    assert not options["untie_embeddings_and_output_weights"]
    assert not options["group_query_attention"]


def test_recomputation_on_some_stages_is_switched_on_for_all_and_said() -> None:
    plan = a_plan(
        stages=(a_stage(0, 5, recomputes=True), a_stage(5, 3)), boundaries=a_plan_of_one_vendor(5, 3).boundaries
    )
    flags = megatron_flags(plan, a_training())
    assert parsed(flags.arguments)["recompute_granularity"] == "full"
    assert flags.remarks == ("only 1 of 2 stages need recomputation, and it has one option for all",)


def test_running_ahead_is_said_to_have_no_option() -> None:
    plan = a_plan_of_one_vendor(5, 3)
    ahead = replace(plan, boundaries=(replace(plan.boundaries[0], extra_warm_up=2),))
    assert "no option lets stages run further ahead" in megatron_flags(ahead, a_training()).remarks[0]


def degrees_differ() -> Plan:
    return replace(a_plan_of_one_vendor(5, 3), stages=(a_stage(0, 5), a_stage(5, 3, tensor_parallel=4)))


@pytest.mark.parametrize(
    ("plan", "hindrance"),
    [
        (a_plan(), "its pipelines are of one chip type, and this one has ascend-910b2, h100-sxm"),
        (degrees_differ(), "it has one tensor-parallel degree for all stages, and this plan has 2, 4"),
    ],
)
def test_what_it_cannot_follow_is_said_and_no_options_are_given(plan: Plan, hindrance: str) -> None:
    flags = megatron_flags(plan, a_training())
    assert flags.arguments == ()
    assert flags.hindrances == (hindrance,)
