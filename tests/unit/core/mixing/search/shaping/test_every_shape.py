"""All shapes of small problems."""

from dataclasses import replace

from scheduler.core.mixing.asked.problem import Constraints
from scheduler.core.mixing.search.shaping.every_shape import every_shape
from scheduler.core.mixing.search.shaping.shapes import tidied
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of
from tests.builders.searching import begun

TWO = problem_of(
    pool_of("a", nodes=1, chips_per_node=2),
    pool_of("b", nodes=1, chips_per_node=1),
    training=training_of(SMALL, global_batch=1),
)


def test_every_one_is_there_once() -> None:
    table, cuts = begun(TWO)
    shapes = every_shape(table, cuts)
    assert shapes is not None
    seen = {tuple(row) for row in shapes.rows.tolist()}
    assert len(cuts.count) == 1
    assert len(shapes) == len(seen) == 3 + 1 + 2 * 3  # of one pool, of the other, of both in two orders
    assert (tidied(shapes).rows == shapes.rows).all()


def test_they_keep_to_the_limits() -> None:
    table, cuts = begun(replace(TWO, constraints=Constraints(most_chips=2)))
    shapes = every_shape(table, cuts)
    assert shapes is not None
    assert len(shapes) == 3 + 1 + 2


def test_of_too_many_there_are_none() -> None:
    table, cuts = begun(TWO)
    assert every_shape(table, cuts, most=9) is None
    assert every_shape(table, cuts, most=10) is not None
