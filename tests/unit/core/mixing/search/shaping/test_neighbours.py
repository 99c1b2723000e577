"""What is one change away."""

from scheduler.core.mixing.search.shaping.neighbours import neighbours_of
from scheduler.core.mixing.search.shaping.shapes import WARM_UPS_ALL, Shapes
from tests.builders.searching import begun, cut_of, shape_of, two_pools


def around() -> tuple[Shapes, Shapes]:
    table, cuts = begun(two_pools())
    shape = shape_of(table, cut_of(table, cuts, 1, 1), ("quick", 1, 2), ("slow", 1, 1))
    return shape, neighbours_of(table, cuts, shape, len(cuts.count))


def seen(shapes: Shapes) -> set[tuple[object, ...]]:
    return {
        (int(shapes.cut[row]), tuple(shapes.pool[row]), tuple(shapes.degree[row]), tuple(shapes.stages[row]))
        for row in range(len(shapes))
    }


def test_a_pool_can_be_left_out() -> None:
    shape, near = around()
    cut, pool = int(shape.cut[0]), tuple(shape.pool[0])
    assert (cut, pool, (0, 0), (2, 0)) in seen(near)


def test_two_pools_can_change_places() -> None:
    shape, near = around()
    assert (int(shape.cut[0]), tuple(shape.pool[0][::-1]), (0, 0), (1, 2)) in seen(near)


def test_a_stage_more_and_a_degree_higher() -> None:
    shape, near = around()
    cut, pool = int(shape.cut[0]), tuple(shape.pool[0])
    assert {(cut, pool, (0, 0), (3, 1)), (cut, pool, (1, 0), (1, 1))} <= seen(near)


def test_the_batch_can_be_cut_in_every_other_way() -> None:
    table, cuts = begun(two_pools())
    _, near = around()
    assert set(near.cut.tolist()) == set(range(len(cuts.count)))
    assert table.micro_batches


def test_boundaries_can_be_warmed_up() -> None:
    _, near = around()
    assert WARM_UPS_ALL in near.warm_ups
