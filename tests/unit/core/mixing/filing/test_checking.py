"""A plan is for the training it is said to be for, whole and without contradiction."""

import pytest

from scheduler.core.mixing.filing.checking import check_plan
from scheduler.core.mixing.filing.values import BadValue
from tests.builders.plans import a_plan, a_plan_of_one_vendor, a_shape, a_stage, a_training


def test_a_whole_plan_is_accepted() -> None:
    check_plan(a_plan(), a_training())
    check_plan(a_plan_of_one_vendor(2, 3, 3), a_training())


def test_layers_must_follow_each_other_and_sum_up() -> None:
    with pytest.raises(BadValue, match="must be 5, after the stages before it"):
        check_plan(a_plan(stages=(a_stage(0, 5), a_stage(4, 4))), a_training())
    with pytest.raises(BadValue, match="have 8 layers, and the model has 9"):
        check_plan(a_plan(), a_training(shape=a_shape(layers=9)))


def test_the_batch_must_be_made_whole() -> None:
    with pytest.raises(BadValue, match="make 32 sequences a step, and 64 are asked for"):
        check_plan(a_plan(), a_training(global_batch=64))
