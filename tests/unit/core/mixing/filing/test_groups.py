"""The ranks of stages and of the groups in them."""

from scheduler.core.mixing.filing.groups import groups_of
from tests.builders.plans import a_plan, a_stage


def test_ranks_are_numbered_through_the_stages() -> None:
    plan = a_plan(stages=(a_stage(0, 5, tensor_parallel=4), a_stage(5, 3, tensor_parallel=2)))
    first, second = groups_of(plan)
    assert (first.first_rank, first.ranks) == (0, 8)
    assert (second.first_rank, second.ranks) == (8, 4)


def test_a_replica_is_a_tensor_parallel_group_and_like_parts_are_a_data_parallel_one() -> None:
    _, second = groups_of(a_plan())
    assert [list(group) for group in second.tensor_groups()] == [[4, 5], [6, 7]]
    assert [list(group) for group in second.data_groups()] == [[4, 6], [5, 7]]


def test_every_rank_is_in_one_group_of_each_kind() -> None:
    plan = a_plan(data_parallel=3, stages=(a_stage(0, 5, tensor_parallel=4), a_stage(5, 3, tensor_parallel=1)))
    of_tensors = [rank for stage in groups_of(plan) for group in stage.tensor_groups() for rank in group]
    of_data = [rank for stage in groups_of(plan) for group in stage.data_groups() for rank in group]
    assert sorted(of_tensors) == sorted(of_data) == list(range(plan.devices))
