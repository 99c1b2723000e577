"""Ways of cutting the batch, and what each can give at best."""

from dataclasses import replace

import pytest

from bench.mixing.plan import problem as large_problem
from scheduler.core.mixing.asked.problem import Constraints
from scheduler.core.mixing.search.exploring import explored
from tests.builders.mixing import pool_of, problem_of, training_of
from tests.builders.searching import begun, two_pools


def test_every_cut_has_all_sequences() -> None:
    table, cuts = begun(two_pools())
    sizes = [table.micro_batches[b] for b in cuts.micro_batch]
    seen = set(zip(cuts.replicas.tolist(), sizes, cuts.count.tolist(), strict=True))
    assert {replicas * size * count for replicas, size, count in seen} == {8}
    assert (8, 1, 1) in seen


def test_a_batch_that_nothing_divides_is_cut_by_itself_and_one() -> None:
    _, cuts = begun(problem_of(training=training_of(global_batch=7)))
    assert set(cuts.replicas.tolist()) == {1, 7}


def test_the_best_bound_comes_first() -> None:
    _, cuts = begun(two_pools())
    assert cuts.bound_s.tolist() == sorted(cuts.bound_s.tolist())


@pytest.mark.parametrize("chips", [128, 512])
def test_no_plan_is_quicker_than_its_bound(chips: int) -> None:
    table, cuts = begun(large_problem(2, chips))
    for layout, took_s in explored(table, cuts):
        same = (cuts.replicas == layout.data_parallel) & (
            cuts.micro_batch == table.micro_batches.index(layout.micro_batch)
        )
        assert took_s >= cuts.bound_s[same][0]


def test_cuts_that_the_limits_leave_no_room_for_are_left_out() -> None:
    one_chip = replace(two_pools(), constraints=Constraints(most_chips=1))
    _, cuts = begun(one_chip)
    assert set(cuts.replicas.tolist()) == {1}
    assert int(cuts.most_stages.max()) == 1


def test_what_fits_nowhere_is_left_out() -> None:
    _, cuts = begun(problem_of(pool_of(memory_bytes=1_150_000_000)))
    assert not len(cuts.count)
