"""Pools of chips."""

from tests.builders.mixing import pool_of


def test_a_pool_has_all_devices_of_its_nodes() -> None:
    assert pool_of(nodes=3, chips_per_node=8).chips == 24
