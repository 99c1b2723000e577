"""Shapes as they are drawn up at first, and which of them are allowed."""

from dataclasses import replace
from itertools import combinations

import numpy as np

from scheduler.core.mixing.asked.problem import Constraints, Problem
from scheduler.core.mixing.search.shaping.shapes import (
    NO_KEYS,
    Shapes,
    allowed,
    first_shapes,
    in_one_node,
    joined,
    once_each,
    tidied,
)
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of
from tests.builders.searching import begun, cut_of, shape_of, two_pools


def test_every_pool_is_drawn_up_alone_and_with_the_other() -> None:
    table, cuts = begun(two_pools())
    drawn = first_shapes(table, cuts, 3)
    used = {tuple(pool[stages > 0].tolist()) for pool, stages in zip(drawn.pool, drawn.stages, strict=True)}
    assert used == {(0,), (1,), (0, 1), (1, 0)}


def test_none_has_more_stages_than_layers_or_devices() -> None:
    table, cuts = begun(two_pools())
    drawn = first_shapes(table, cuts, 3)
    assert (drawn.stages.sum(axis=1) <= table.layers).all()
    room = cuts.most_stages[drawn.cut[:, None], drawn.pool, drawn.degree]
    assert (drawn.stages <= room).all()


def test_what_one_node_has_room_for_is_told_with_all_replicas() -> None:
    table, cuts = begun(two_pools())
    one, two = (cut_of(table, cuts, replicas, 1) for replicas in (1, 2))
    drawn = [shape_of(table, cut, ("quick", 2, 1), ("slow", 1, 3)) for cut in (one, two)]
    assert in_one_node(table, cuts, joined(drawn)).tolist() == [[True, True], [True, False]]


def test_limits_are_kept_to() -> None:
    problem = two_pools()
    for limits in (Constraints(most_chips=5), Constraints(most_compute=3.0), Constraints(most_chip_types=1)):
        table, cuts = begun(replace(problem, constraints=limits))
        drawn = first_shapes(table, cuts, 3)
        degrees = np.array(table.degrees)[drawn.degree]
        devices = (cuts.replicas[drawn.cut][:, None] * degrees * drawn.stages).sum(axis=1)
        assert len(drawn)
        assert (devices <= (limits.most_chips or 100)).all()
        assert (devices <= (limits.most_compute or 100.0)).all()
        assert ((drawn.stages > 0).sum(axis=1) <= (limits.most_chip_types or 2)).all()


def test_tied_embeddings_want_one_degree_at_both_ends() -> None:
    tied = training_of(replace(SMALL, ties_embeddings=True))
    table, cuts = begun(two_pools(training=tied))
    cut = cut_of(table, cuts, 1, 1)
    unlike = shape_of(table, cut, ("quick", 2, 1), ("slow", 1, 1))
    alike = shape_of(table, cut, ("quick", 2, 1), ("slow", 2, 1))
    assert len(allowed(table, cuts, joined([unlike, alike]))) == 1


def test_the_same_shape_comes_once() -> None:
    table, cuts = begun(two_pools())
    shape = shape_of(table, cut_of(table, cuts, 1, 1), ("quick", 1, 2))
    other = shape_of(table, cut_of(table, cuts, 1, 1), ("slow", 1, 2))
    assert len(once_each(joined([shape, other, shape]), NO_KEYS)) == 2
    assert len(once_each(joined([shape, other, shape]), other.keys())) == 1


def test_pools_without_stages_go_last() -> None:
    shapes = Shapes.of(*(np.array([values]) for values in (0, [1, 0], [3, 1], [0, 2], 0)))
    put = tidied(shapes)
    assert (put.pool.tolist(), put.stages.tolist(), put.degree.tolist()) == ([[0, 1]], [[2, 0]], [[1, 0]])


def subsets_of(problem: Problem) -> set[frozenset[str]]:
    table, cuts = begun(problem)
    drawn = first_shapes(table, cuts, 3)
    rows = zip(drawn.pool, drawn.stages, strict=True)
    return {frozenset(table.pools[k].name for k in pool[stages > 0]) for pool, stages in rows}


def test_of_many_pools_those_with_most_compute_are_drawn_up_however_slow_their_chips() -> None:
    quick = [pool_of(f"quick-{number}", flops_per_s=(9 - number) * 1e12, nodes=1) for number in range(3)]
    found = subsets_of(problem_of(*quick, pool_of("many", nodes=20), pool_of("more", nodes=30)))
    assert {frozenset({name}) for name in ("quick-0", "quick-1", "quick-2", "many", "more")} <= found
    assert frozenset({"more", "many"}) in found
    assert frozenset({"quick-0", "quick-1"}) in found


def test_where_few_chip_types_are_allowed_every_choice_of_them_is_drawn_up() -> None:
    pools = [pool_of(name, flops_per_s=rate * 1e12) for rate, name in enumerate("abcd", 1)]
    found = subsets_of(problem_of(*pools, constraints=Constraints(most_chip_types=2)))
    assert found == {frozenset(chosen) for size in (1, 2) for chosen in combinations("abcd", size)}


def test_what_limits_leave_goes_to_the_first_or_to_the_last_pool_too() -> None:
    pools = (pool_of("a", nodes=1, chips_per_node=2, worth=3.0), pool_of("b", nodes=1, chips_per_node=2, worth=1.0))
    limits = Constraints(most_compute=7.0)
    table, cuts = begun(problem_of(*pools, constraints=limits, training=training_of(global_batch=1)))
    drawn = first_shapes(table, cuts, 8)
    ordered = drawn.take((drawn.pool == [0, 1]).all(axis=1) & (drawn.degree == 0).all(axis=1))
    stages = {tuple(row) for row in ordered.stages.tolist()}
    assert {(1, 1), (2, 1), (1, 2)} <= stages  # in proportion, the first as many as it has, the last
