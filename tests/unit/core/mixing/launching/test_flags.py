"""What programs are told alike."""

from scheduler.core.mixing.asked.shape import Experts
from scheduler.core.mixing.asked.training import Precision
from scheduler.core.mixing.launching.flags import batch_arguments, model_arguments, runs_ahead
from tests.builders.plans import a_plan, a_plan_of_one_vendor, a_shape, a_training


def test_the_precision_is_an_option_unless_it_is_the_plainest() -> None:
    assert "--fp16" in batch_arguments(a_plan(), a_training(precision=Precision.FP16))
    plain = batch_arguments(a_plan(), a_training(precision=Precision.FP32))
    assert not {"--fp16", "--bf16"} & set(plain)


def test_what_is_not_sharded_is_not_said() -> None:
    assert "--use-distributed-optimizer" not in batch_arguments(a_plan(), a_training(shards_optimiser=False))


def test_experts_are_counted() -> None:
    arguments = model_arguments(a_shape(experts=Experts(8, 2)))
    assert arguments[arguments.index("--num-experts") + 1] == "8"
    assert arguments[arguments.index("--moe-router-topk") + 1] == "2"


def test_only_a_plan_that_runs_ahead_is_remarked_on() -> None:
    assert runs_ahead(a_plan_of_one_vendor(5, 3)) == ()
    assert runs_ahead(a_plan()) == ("no option lets stages run further ahead, as those up to stage 0 do",)
