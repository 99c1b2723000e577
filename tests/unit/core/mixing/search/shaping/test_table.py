"""Costs in arrays say what the costs one by one say."""

from dataclasses import replace

import numpy as np
import pytest

from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey, Profiles
from scheduler.core.mixing.boundaries import transfer_s
from scheduler.core.mixing.costs import embedding_costs, head_costs, layer_costs
from scheduler.core.mixing.search.shaping.table import table_of
from scheduler.core.mixing.syncing import update_s
from tests.builders.mixing import pool_of, problem_of
from tests.builders.searching import begun, two_pools


def test_a_row_is_what_layers_and_ends_cost() -> None:
    table, _ = begun(two_pools())
    for k, pool in enumerate(table.pools):
        for t, degree in enumerate(table.degrees):
            for b, size in enumerate(table.micro_batches):
                if not table.groups[k, t]:
                    continue
                for again in (False, True):
                    layer = layer_costs(table.problem, pool, tensor_parallel=degree, micro_batch=size, recomputes=again)
                    assert table.busy_s[int(again), k, t, b] == pytest.approx(layer.forward_s + layer.backward_s)
                    assert table.activation_bytes[int(again), t, b] == layer.activation_bytes
                for end, costs in enumerate((embedding_costs, head_costs)):
                    found = costs(table.problem, pool, tensor_parallel=degree, micro_batch=size)
                    assert table.ends_s[end, k, t, b] == pytest.approx(found.forward_s + found.backward_s)
                    assert table.ends_parameters[end, t] == found.parameters


def test_transfers_grow_with_the_micro_batch() -> None:
    table, _ = begun(two_pools())
    for b, size in enumerate(table.micro_batches):
        exact_s = transfer_s(table.problem, table.pools[0], table.pools[1], micro_batch=size)
        assert table.transfer_s[0, 1, b] == pytest.approx(exact_s)
        within_s = transfer_s(table.problem, table.pools[0], table.pools[0], micro_batch=size, in_one_node=True)
        assert table.in_node_s[0, b] == pytest.approx(within_s)
        assert table.in_node_s[0, b] < table.transfer_s[0, 0, b]


def test_degrees_divide_the_heads_and_groups_stay_within_a_node() -> None:
    table, _ = begun(problem_of(pool_of(nodes=3, chips_per_node=5)))
    assert table.degrees == (1, 2, 5)  # of ten heads
    assert table.groups.tolist() == [[15, 6, 3]]


def test_pools_have_an_order_of_their_own() -> None:
    problem = two_pools()
    assert table_of(problem, problem.pools[::-1]).pools == table_of(problem, problem.pools).pools


def test_a_pool_without_a_degree_takes_for_ever() -> None:
    table, _ = begun(problem_of(pool_of("one", chips_per_node=1), pool_of("many")))
    single = [pool.name for pool in table.pools].index("one")
    assert np.isinf(table.busy_s[:, single, 1:]).all()


def test_once_a_step_a_parameter_takes_what_many_take() -> None:
    table, _ = begun(two_pools())
    for k, pool in enumerate(table.pools):
        for d, replicas in enumerate(table.data_parallels):
            whole_s = update_s(table.problem, pool, parameters=1_000_000, data_parallel=replicas)
            assert table.update_s[k, d] * 1_000_000 == pytest.approx(whole_s)


def test_measured_times_are_read_for_every_micro_batch() -> None:
    problem = two_pools()
    measured = {ProfileKey(problem.pools[0].chip, 1, size): LayerProfile(0.1 + size, 0.2 + size) for size in (1, 2)}
    table, _ = begun(replace(problem, profiles=Profiles(layers=measured)))
    k = [pool.chip for pool in table.pools].index(problem.pools[0].chip)
    assert table.busy_s[0, k, 0, :2] == pytest.approx([2.3, 4.3])
