"""Single moves that make a step shorter."""

import numpy as np

from scheduler.core.mixing.search.layering.polishing import polished, recomputing
from scheduler.core.mixing.search.layering.scoring import Dealt, step_s
from tests.builders.mixing import pool_of, problem_of, training_of
from tests.builders.searching import laid_out, two_pools


def test_a_bad_dealing_becomes_a_good_one() -> None:
    laid = laid_out(two_pools(training=training_of(global_batch=64)), ("quick", 1, 1), ("slow", 1, 1))
    bad = Dealt(np.array([[1, 3]]), np.zeros((1, 2), dtype=bool), np.zeros((1, 1), dtype=np.int64))
    before_s = step_s(laid, bad)
    better, took_s = polished(laid, bad, before_s)
    assert took_s[0] < before_s[0]
    assert better.layers.tolist() == [[3, 1]]
    assert took_s[0] == step_s(laid, better)[0]


def test_a_warm_up_comes_where_it_helps() -> None:
    slow_links = problem_of(
        pool_of("quick", node_link_bytes_per_s=5e6, chips_per_node=1), training=training_of(global_batch=64)
    )
    laid = laid_out(slow_links, ("quick", 1, 2))
    even = Dealt(np.array([[2, 2]]), np.zeros((1, 2), dtype=bool), np.zeros((1, 1), dtype=np.int64))
    better, _ = polished(laid, even, step_s(laid, even))
    assert better.extra[0, 0] > 0


def test_what_does_not_fit_is_left_as_it_is() -> None:
    laid = laid_out(two_pools(), ("quick", 1, 1), ("slow", 1, 1))
    dealt = Dealt(np.array([[1, 3]]), np.zeros((1, 2), dtype=bool), np.zeros((1, 1), dtype=np.int64))
    same, took_s = polished(laid, dealt, np.array([np.inf]))
    assert same.layers.tolist() == [[1, 3]]
    assert np.isinf(took_s).all()


def test_stages_recompute_only_for_want_of_memory() -> None:
    training = training_of(sequence=2_000, global_batch=64)
    tight = laid_out(problem_of(pool_of("quick", memory_bytes=1_940_000_000), training=training), ("quick", 1, 2))
    roomy = laid_out(problem_of(pool_of("quick"), training=training), ("quick", 1, 2))
    layers, extra = np.array([[2, 2]]), np.zeros((1, 1), dtype=np.int64)
    assert recomputing(tight, layers, extra).any()
    assert not recomputing(roomy, layers, extra).any()
