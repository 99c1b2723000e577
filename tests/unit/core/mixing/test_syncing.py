"""What a stage does once a step."""

import pytest

from scheduler.core.mixing.asked.profiles import LayerProfile, ProfileKey, Profiles
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.counting import layer_parameters
from scheduler.core.mixing.syncing import each_gradient_sync_s, gradient_sync_s, update_s
from tests.builders.mixing import SMALL, pool_of, problem_of, training_of

PARAMETERS = 1_000_000


def synced_s(*, degree: int, replicas: int, training: Training | None = None) -> float:
    problem = problem_of(training=training or training_of(shards_optimiser=False))
    return gradient_sync_s(problem, pool_of(), tensor_parallel=degree, data_parallel=replicas, parameters=PARAMETERS)


def test_one_replica_has_nothing_to_sum_up() -> None:
    assert synced_s(degree=4, replicas=1) == 0


def test_replicas_on_several_nodes_send_all_gradients_of_the_stage_over_each_nodes_network() -> None:
    whole_bytes = 4 * PARAMETERS * 4
    assert synced_s(degree=4, replicas=2) == pytest.approx(2 * 1 / 2 * whole_bytes / 1e8)


def test_ranks_of_a_node_share_its_network() -> None:
    assert synced_s(degree=4, replicas=8) == pytest.approx(4 * synced_s(degree=1, replicas=8))


def test_replicas_within_one_node_use_its_devices_links_each_rank_its_own() -> None:
    assert synced_s(degree=2, replicas=2) == pytest.approx(2 * 1 / 2 * 4 * PARAMETERS / 1e9)


def test_a_sharded_optimiser_scatters_gradients_and_gathers_weights() -> None:
    sharded_s = synced_s(degree=4, replicas=2, training=training_of())
    assert sharded_s / synced_s(degree=4, replicas=2) == pytest.approx((4 + 2) / (4 + 4))


def test_an_update_moves_30_bytes_a_parameter_and_a_sharded_one_its_share_of_them() -> None:
    whole, sharded = (
        update_s(problem_of(training=training), pool_of(), parameters=PARAMETERS, data_parallel=4)
        for training in (training_of(shards_optimiser=False), training_of())
    )
    assert whole == pytest.approx(30 * PARAMETERS / 1e12)
    assert sharded == pytest.approx(whole / 4)


def test_a_measured_update_goes_before_that_whatever_degree_it_was_measured_with() -> None:
    known = {ProfileKey("chip-a", 4, 1): LayerProfile(1.0, 2.0, update_s=0.5)}
    problem = problem_of(training=training_of(shards_optimiser=False), profiles=Profiles(1, known))
    on_device = layer_parameters(SMALL) // 4
    assert update_s(problem, pool_of(), parameters=on_device, data_parallel=1) == pytest.approx(0.5)
    assert update_s(problem, pool_of("b"), parameters=PARAMETERS, data_parallel=1) == pytest.approx(30e-6)


@pytest.mark.parametrize("shards_optimiser", [True, False])
def test_many_at_once_are_what_they_are_one_by_one(shards_optimiser: bool) -> None:  # noqa: FBT001 - a parameter
    training = training_of(shards_optimiser=shards_optimiser)
    each_s = each_gradient_sync_s(problem_of(training=training), pool_of(), (1, 2, 4), (1, 2, 8))
    for row, degree in zip(each_s.tolist(), (1, 2, 4), strict=True):
        one_by_one = [synced_s(degree=degree, replicas=replicas, training=training) for replicas in (1, 2, 8)]
        assert [PARAMETERS * each for each in row] == pytest.approx(one_by_one)
