"""How layers are dealt out."""

import numpy as np

from scheduler.core.mixing.search.layering.dealing import dealt
from scheduler.core.mixing.search.layering.scoring import fits_memory
from scheduler.core.mixing.search.shaping.shapes import WARM_UPS_ALL
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of
from tests.builders.searching import laid_out, two_pools


def test_all_layers_are_dealt_out_and_every_stage_has_one() -> None:
    laid = laid_out(two_pools(), ("quick", 1, 2), ("slow", 1, 1))
    best, _ = dealt(laid)
    assert best.layers.sum() == SMALL.layers
    assert (best.layers >= 1).all()


def test_a_quicker_stage_has_more_layers() -> None:
    laid = laid_out(two_pools(training=training_of(global_batch=64)), ("quick", 1, 1), ("slow", 1, 1))
    best, took_s = dealt(laid)
    assert best.layers[0, 0] > best.layers[0, 1]
    assert np.isfinite(took_s).all()


def test_little_memory_makes_stages_recompute() -> None:
    training = training_of(sequence=2_000, global_batch=64)
    tight = problem_of(pool_of("quick", memory_bytes=2_050_000_000), training=training)
    laid = laid_out(tight, ("quick", 1, 2))
    best, took_s = dealt(laid)
    assert np.isfinite(took_s).all()
    assert best.recomputes.any()
    assert fits_memory(laid, best).all()


def test_without_memory_there_is_no_dealing() -> None:
    laid = laid_out(problem_of(pool_of("roomy"), pool_of("full", memory_bytes=1_250_000_000)), ("full", 1, 1))
    _, took_s = dealt(laid)
    assert np.isinf(took_s).all()


def test_a_slow_boundary_is_warmed_up() -> None:
    slow_links = problem_of(pool_of("quick", node_link_bytes_per_s=1e6))
    best, _ = dealt(laid_out(slow_links, ("quick", 1, 2), warm_ups=WARM_UPS_ALL))
    assert best.extra[0, 0] >= 1
    plain, _ = dealt(laid_out(slow_links, ("quick", 1, 2)))
    assert plain.extra[0, 0] == 0
