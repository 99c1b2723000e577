"""Estimates are near what dealing out the layers gives."""

import numpy as np

from bench.mixing.plan import problem as large_problem
from scheduler.core.mixing.asked.problem import Constraints
from scheduler.core.mixing.search.layering.dealing import dealt
from scheduler.core.mixing.search.layering.pipelines import pipelines_of
from scheduler.core.mixing.search.shaping.estimating import estimated_s
from scheduler.core.mixing.search.shaping.shapes import first_shapes
from tests.builders.mixing import pool_of, problem_of
from tests.builders.searching import begun, cut_of, shape_of


def test_the_likeliest_are_estimated_well() -> None:
    table, cuts = begun(large_problem(2, 512))
    shapes = first_shapes(table, cuts, 8)
    likely_s = estimated_s(table, cuts, shapes)
    order = np.argsort(likely_s)[:20]
    _, took_s = dealt(pipelines_of(table, cuts, shapes.take(order)))
    fitting = np.isfinite(took_s)
    assert fitting.sum() >= 10
    assert np.median(np.abs(likely_s[order] / took_s - 1)[fitting]) < 0.1


def test_what_has_no_memory_is_not_likely() -> None:
    table, cuts = begun(problem_of(pool_of("roomy"), pool_of("full", memory_bytes=1_300_000_000)))
    full = shape_of(table, cut_of(table, cuts, 1, 1), ("full", 1, 1))
    assert np.isinf(estimated_s(table, cuts, full)).all()


def test_a_pool_that_no_limit_leaves_room_for_is_no_trouble() -> None:
    dear = problem_of(pool_of("cheap"), pool_of("dear", worth=9.0), constraints=Constraints(most_compute=5.0))
    table, cuts = begun(dear)
    shape = shape_of(table, cut_of(table, cuts, 1, 1), ("cheap", 1, 2))
    with np.errstate(all="raise", divide="ignore", under="ignore"):
        assert np.isfinite(estimated_s(table, cuts, shape)).all()
