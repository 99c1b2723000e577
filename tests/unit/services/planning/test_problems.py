"""Questions to the planner: what takes part, the links that were stated, and what could be otherwise."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.chips import FreeChips, Unusable
from scheduler.services.planning.asked import Asked, LeftOut, TooMany
from scheduler.services.planning.offer import Offer
from scheduler.services.planning.problems import (
    MOST_POOLS,
    question_of,
    with_direct_links,
    with_even_batch,
    with_faster_networks,
    with_nodes,
)
from tests.builders.api import chip_type
from tests.builders.plans import a_training

ASKED = Asked(a_training(), "demo")
FREE = FreeChips("one", chip_type("h100-sxm"), 2, 8, 81_920)
OTHER = FreeChips("other", replace(chip_type("mi300x"), vendor="AMD"), 2, 8, 81_920)
OFFER = Offer("mixed", (FREE, OTHER))
PROBLEM = question_of(ASKED, OFFER).problem


def test_what_is_free_takes_part() -> None:
    assert {pool.name for pool in PROBLEM.pools} == {"one", "other"}
    assert PROBLEM.training == ASKED.training
    assert PROBLEM.links == {}


def test_what_cannot_take_part_is_left_out_with_why() -> None:
    old = FreeChips("old", chip_type("v100-sxm-32"), 2, 8, 32_768)
    found = question_of(ASKED, Offer("mixed", (FREE, old)))
    assert [pool.name for pool in found.problem.pools] == ["one"]
    assert found.left_out == (LeftOut("old", "v100-sxm-32", Unusable.PRECISION),)


def test_of_too_many_pools_those_with_most_compute_take_part() -> None:
    many = tuple(replace(FREE, name=f"p{nodes}", nodes=nodes) for nodes in range(1, MOST_POOLS + 3))
    found = question_of(ASKED, Offer("mixed", many))
    assert {pool.name for pool in found.problem.pools} == {f"p{nodes}" for nodes in range(3, MOST_POOLS + 3)}
    assert [(left.pool, left.why) for left in found.left_out] == [("p2", TooMany.POOLS), ("p1", TooMany.POOLS)]


def test_a_stated_link_between_vendors_is_no_faster_than_their_networks() -> None:
    slow = question_of(replace(ASKED, between_vendors_bytes_per_s=1e9), OFFER).problem
    (link,) = slow.links.values()
    assert link.bytes_per_s == pytest.approx(1e9)
    assert link.goes_through_hosts
    fast = question_of(replace(ASKED, between_vendors_bytes_per_s=1e12), OFFER).problem
    assert next(iter(fast.links.values())).bytes_per_s == pytest.approx(25e9)


def test_direct_links_leave_hosts_out() -> None:
    (link,) = with_direct_links(PROBLEM).links.values()
    assert not link.goes_through_hosts
    assert link.bytes_per_s == pytest.approx(25e9)


def test_faster_networks_are_all_faster() -> None:
    stated = question_of(replace(ASKED, between_vendors_bytes_per_s=1e9), OFFER).problem
    faster = with_faster_networks(stated, 2.0)
    assert {pool.node_link_bytes_per_s for pool in faster.pools} == {50e9}
    assert next(iter(faster.links.values())).bytes_per_s == pytest.approx(2e9)


def test_nodes_come_and_go_and_a_pool_without_any_is_none() -> None:
    more = with_nodes(PROBLEM, "one", 1)
    assert more is not None
    assert {pool.name: pool.nodes for pool in more.pools} == {"one": 3, "other": 2}
    fewer = with_nodes(PROBLEM, "one", -2)
    assert fewer is not None
    assert [pool.name for pool in fewer.pools] == ["other"]
    assert with_nodes(fewer, "other", -2) is None


@pytest.mark.parametrize(("batch", "even"), [(64, None), (1009, 1024), (60, 64), (32, None), (65, None)])
def test_a_batch_that_cannot_be_cut_well_is_made_larger(batch: int, even: int | None) -> None:
    found = with_even_batch(replace(PROBLEM, training=a_training(global_batch=batch)))
    assert (None if found is None else found.training.global_batch) == even
