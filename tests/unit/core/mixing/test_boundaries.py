"""Between a stage and the next."""

import pytest

from scheduler.core.mixing.asked.pools import Link
from scheduler.core.mixing.boundaries import link_between, transfer_s, transport
from scheduler.core.mixing.plan import Transport
from tests.builders.mixing import pool_of, problem_of

SENT_BYTES = 2 * 100 * 1_000
LATENCY_S = 20e-6


def test_nodes_of_one_pool_are_connected_by_their_network_and_a_single_node_by_its_own_links() -> None:
    many, one = pool_of(), pool_of(nodes=1)
    assert link_between(problem_of(many), many, many).bytes_per_s == 1e8
    assert link_between(problem_of(one), one, one).bytes_per_s == 1e9
    assert link_between(problem_of(many), many, many, in_one_node=True).bytes_per_s == 1e9


def test_what_is_said_of_two_pools_counts_either_way_round() -> None:
    a, b = pool_of("a"), pool_of("b")
    link = Link(5e7)
    problem = problem_of(a, b, links={frozenset(("a", "b")): link})
    assert link_between(problem, a, b) is link_between(problem, b, a) is link


def test_of_pools_that_nothing_is_said_of_the_slower_network_counts() -> None:
    a, b = pool_of("a"), pool_of("b", node_link_bytes_per_s=3e7)
    found = link_between(problem_of(a, b), a, b)
    assert (found.bytes_per_s, found.goes_through_hosts) == (3e7, False)


def test_pools_of_different_vendors_are_supposed_to_send_through_hosts() -> None:
    a, b = pool_of("a"), pool_of("b", vendor="another")
    assert link_between(problem_of(a, b), a, b).goes_through_hosts
    assert (transport(a, b), transport(a, a)) == (Transport.HOST, Transport.VENDOR)


def test_a_micro_batch_of_activations_is_sent_in_its_precision() -> None:
    a = pool_of()
    assert transfer_s(problem_of(), a, a, micro_batch=3) == pytest.approx(LATENCY_S + 3 * SENT_BYTES / 1e8)


def test_what_goes_through_hosts_is_copied_twice() -> None:
    a, b = pool_of("a"), pool_of("b", vendor="another", host_copy_bytes_per_s=5e8)
    sent_s = LATENCY_S + SENT_BYTES / 1e8
    copied_s = SENT_BYTES / 1e9 + SENT_BYTES / 5e8
    assert transfer_s(problem_of(a, b), a, b, micro_batch=1) == pytest.approx(sent_s + copied_s)
