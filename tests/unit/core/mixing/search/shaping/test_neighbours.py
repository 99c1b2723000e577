"""What is one change away."""

from scheduler.core.mixing.search.shaping.neighbours import neighbours_of
from scheduler.core.mixing.search.shaping.shapes import WARMS_ALL, Shapes
from tests.builders.searching import begun, pair_of, shape_of, two_pools


def around() -> tuple[Shapes, Shapes]:
    table, pairs = begun(two_pools())
    shape = shape_of(table, pair_of(table, pairs, 1, 1), ("quick", 1, 2), ("slow", 1, 1))
    return shape, neighbours_of(table, pairs, shape, len(pairs.count))


def seen(shapes: Shapes) -> set[tuple[object, ...]]:
    return {
        (int(shapes.pair[row]), tuple(shapes.pool[row]), tuple(shapes.degree[row]), tuple(shapes.stages[row]))
        for row in range(len(shapes))
    }


def test_a_pool_can_be_left_out() -> None:
    shape, near = around()
    pair, pool = int(shape.pair[0]), tuple(shape.pool[0])
    assert (pair, pool, (0, 0), (2, 0)) in seen(near)


def test_two_pools_can_change_places() -> None:
    shape, near = around()
    assert (int(shape.pair[0]), tuple(shape.pool[0][::-1]), (0, 0), (1, 2)) in seen(near)


def test_a_stage_more_and_a_degree_higher() -> None:
    shape, near = around()
    pair, pool = int(shape.pair[0]), tuple(shape.pool[0])
    assert {(pair, pool, (0, 0), (3, 1)), (pair, pool, (1, 0), (1, 1))} <= seen(near)


def test_the_batch_can_be_cut_in_every_other_way() -> None:
    table, pairs = begun(two_pools())
    _, near = around()
    assert set(near.pair.tolist()) == set(range(len(pairs.count)))
    assert table.micro_batches


def test_boundaries_can_be_warmed_up() -> None:
    _, near = around()
    assert WARMS_ALL in near.warms
