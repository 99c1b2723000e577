"""What programs are told alike."""

from scheduler.core.mixing.asked.shape import Experts
from scheduler.core.mixing.asked.training import Precision
from scheduler.core.mixing.launching.flags import batch_arguments, model_arguments, runs_ahead, too_few_positions
from scheduler.core.mixing.launching.flagscale import flagscale_flags
from scheduler.core.mixing.launching.megatron import megatron_flags
from tests.builders.plans import a_plan, a_plan_of_one_vendor, a_shape, a_training


def test_the_precision_is_an_option_unless_it_is_the_plainest() -> None:
    assert "--fp16" in batch_arguments(a_plan(), a_training(precision=Precision.FP16))
    plain = batch_arguments(a_plan(), a_training(precision=Precision.FP32))
    assert not {"--fp16", "--bf16"} & set(plain)


def test_what_is_not_sharded_is_not_said() -> None:
    assert "--use-distributed-optimizer" not in batch_arguments(a_plan(), a_training(shards_optimiser=False))


def test_experts_are_counted() -> None:
    arguments = model_arguments(a_training(shape=a_shape(experts=Experts(8, 2))))
    assert arguments[arguments.index("--num-experts") + 1] == "8"
    assert arguments[arguments.index("--moe-router-topk") + 1] == "2"


def test_positions_are_counted_where_they_are_computed_as_well() -> None:
    arguments = model_arguments(a_training(sequence=4096))
    assert arguments[arguments.index("--max-position-embeddings") + 1] == "4096"
    assert arguments[arguments.index("--position-embedding-type") + 1] == "rope"


def test_a_sequence_that_is_longer_than_what_was_learnt_is_a_hindrance() -> None:
    said = ("a sequence has 2,048 tokens, and the model has learnt 1,024 positions",)
    learnt = a_training(shape=a_shape(learnt_positions=1024))
    assert too_few_positions(learnt) == said
    assert megatron_flags(a_plan_of_one_vendor(5, 3), learnt).hindrances == said
    assert flagscale_flags(a_plan_of_one_vendor(5, 3), learnt).hindrances == said
    assert too_few_positions(a_training(shape=a_shape(learnt_positions=2048))) == ()
    assert too_few_positions(a_training()) == ()


def test_only_a_plan_that_runs_ahead_is_remarked_on() -> None:
    assert runs_ahead(a_plan_of_one_vendor(5, 3)) == ()
    assert runs_ahead(a_plan()) == ("no option lets stages run further ahead, as those up to stage 0 do",)
