"""A plan in the options of FlagScale, checked by the rules that it states for them."""

from scheduler.core.mixing.launching.flagscale import flagscale_flags, meshes_of
from scheduler.core.mixing.plan import Boundary, Transport
from tests.builders.plans import a_plan, a_plan_of_one_vendor, a_shape, a_stage, a_training, on_another_vendor
from tests.builders.training_options import check_meshes, parsed, refined


def test_each_chip_type_is_a_mesh_of_its_own() -> None:
    options = parsed(flagscale_flags(a_plan(), a_training()).arguments)
    assert options["enable_hetero"]
    assert check_meshes(options) == [[2, 1, 1, 2, 1], [2, 1, 1, 2, 1]]
    assert options["hetero_pipeline_layer_split"] == [5, 3]
    assert options["hetero_device_types"] == ["h100-sxm", "ascend-910b2"]
    assert options["hetero_current_device_type"] == "$CHIP"


def test_stages_that_are_alike_share_a_mesh() -> None:
    stages = (a_stage(0, 3), a_stage(3, 2), on_another_vendor(5, 2, tensor_parallel=4), on_another_vendor(7, 1))
    boundaries = tuple(Boundary(Transport.VENDOR, 0.001, 0) for _ in stages[1:])
    plan = a_plan(stages=stages, boundaries=boundaries)
    assert [mesh.numbers for mesh in meshes_of(plan)] == [(2, 1, 1, 2, 2), (4, 1, 1, 2, 1), (2, 1, 1, 2, 1)]
    check_meshes(parsed(flagscale_flags(plan, a_training()).arguments))


def test_it_sends_through_hosts_where_the_plan_does() -> None:
    assert parsed(flagscale_flags(a_plan(), a_training()).arguments)["hetero_use_cpu_communication"]
    same = flagscale_flags(a_plan_of_one_vendor(5, 3), a_training())
    assert not parsed(same.arguments)["hetero_use_cpu_communication"]


def test_recomputation_is_said_by_stage() -> None:
    plan = a_plan(stages=(a_stage(0, 5, recomputes=True), on_another_vendor(5, 3)))
    options = parsed(flagscale_flags(plan, a_training()).arguments)
    assert (options["recompute_granularity"], options["recompute_method"]) == ("full", "uniform")
    rows = refined(options["recompute_granularity_per_stage_micro_batch"], stages=2, micro_batches=8)
    assert rows == [[1] * 8, [0] * 8]
    assert refined(options["recompute_num_layers_per_stage_micro_batch"], 2, 8) == [[1] * 8] * 2


def test_recomputation_of_all_stages_needs_no_more_than_one_option() -> None:
    options = parsed(flagscale_flags(a_plan_of_one_vendor(5, 3, recomputes=True), a_training()).arguments)
    assert options["recompute_granularity"] == "full"
    assert options["recompute_granularity_per_stage_micro_batch"] is None


def test_tied_embeddings_on_unlike_degrees_are_a_hindrance() -> None:
    plan = a_plan(stages=(a_stage(0, 5), on_another_vendor(5, 3, tensor_parallel=4)))
    flags = flagscale_flags(plan, a_training(shape=a_shape(ties_embeddings=True)))
    assert flags.arguments == ()
    assert "these have 2 and 4" in flags.hindrances[0]
