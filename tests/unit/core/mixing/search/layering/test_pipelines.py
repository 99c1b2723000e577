"""Shapes stage by stage."""

import numpy as np

from scheduler.core.mixing.asked.shape import ModelShape
from scheduler.core.mixing.search.layering.pipelines import pipelines_of
from scheduler.core.mixing.search.shaping.shapes import joined
from tests.builders.mixing import SMALL, training_of
from tests.builders.searching import begun, cut_of, laid_out, shape_of, two_pools


def test_each_stage_costs_what_its_pool_and_degree_say() -> None:
    laid = laid_out(two_pools(), ("quick", 1, 2), ("slow", 2, 1))
    table = laid.table
    assert [table.pools[k].name for k in laid.pool[0]] == ["quick", "quick", "slow"]
    assert laid.behind.tolist() == [[3, 2, 1]]
    assert laid.busy_s[0, 0, 2] == table.busy_s[0, laid.pool[0, 2], table.degrees.index(2), 0]
    assert laid.busy_s[0, 0, 0] == laid.busy_s[0, 0, 1]


def test_only_the_ends_have_more_than_layers() -> None:
    laid = laid_out(two_pools(), ("quick", 2, 2), ("slow", 2, 1))
    assert (laid.extra_s[0] > 0).tolist() == [True, False, True]
    assert (laid.extra_sync_s[0] + laid.ends_bytes[0] > 0).tolist() == [True, False, True]


def test_a_shorter_pipeline_leaves_the_rest_of_its_row_empty() -> None:
    table, cuts = begun(two_pools())
    cut = cut_of(table, cuts, 1, 1)
    both = joined([shape_of(table, cut, ("quick", 1, 3)), shape_of(table, cut, ("slow", 1, 1))])
    laid = pipelines_of(table, cuts, both)
    assert laid.is_stage.tolist() == [[True, True, True], [True, False, False]]
    assert laid.transfer_s[1].tolist() == [0.0, 0.0]


def test_tied_embeddings_are_held_once_by_a_single_stage() -> None:
    tied = ModelShape(**{name: getattr(SMALL, name) for name in SMALL.__slots__} | {"ties_embeddings": True})
    one = laid_out(two_pools(training=training_of(tied)), ("quick", 1, 1))
    apart = laid_out(two_pools(), ("quick", 1, 1))
    assert one.room_bytes[0, 0] > apart.room_bytes[0, 0]


def test_some_of_them_can_be_taken() -> None:
    table, cuts = begun(two_pools())
    cut = cut_of(table, cuts, 1, 1)
    both = joined([shape_of(table, cut, ("quick", 1, 3)), shape_of(table, cut, ("slow", 1, 1))])
    taken = pipelines_of(table, cuts, both).take(np.array([1, 1]))
    assert taken.behind.tolist() == [[1, 0, 0]] * 2
    assert taken.busy_s.shape == (2, 2, 3)
