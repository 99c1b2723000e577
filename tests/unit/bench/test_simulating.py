"""The benchmarks of the simulator and of full passes, at a size that takes no time."""

import pytest

from bench.ledger.population import DEVICES
from bench.queueing import backfill
from bench.simulating import fairness, speed
from scheduler.simulator.workloads.templates import HOUR_S


def test_a_full_pass_places_promises_and_looks_at_all() -> None:
    found = backfill.measure(backfill.Size(nodes=96, waiting=(20, 40, 80), runs=1)).figures
    assert found["pass_units"] > 0
    assert found["asked_20"] > 0
    assert found["placed_80"] > 0
    assert found["promised_80"] > 0
    assert -1 < found["exponent_pending"] < 3


def test_events_of_both_engines_are_timed_on_both_sizes() -> None:
    scale = speed.Scale(small=24, large=96, filling_s=600, core_events=100, service_events=30)
    found = speed.measure(scale).figures
    for label in ("1k", "100k"):
        assert found[f"core_units_per_event_{label}"] > 0
        assert found[f"service_events_per_s_{label}"] > 0
    assert found["core_units_per_event"] == max(found[f"core_units_per_event_{label}"] for label in ("1k", "100k"))


def test_the_load_is_what_it_was_meant_to_be() -> None:
    until_s = 50 * HOUR_S
    asked_s = sum(
        job.spec.workers * job.spec.shape.devices * job.life.work_s
        for job in speed.workload(100).arrivals(seed=1, until_s=until_s)
    )
    assert asked_s / until_s / (100 * DEVICES) == pytest.approx(speed.LOAD, rel=0.1)


def test_greedy_tenants_always_wait_and_are_given_their_share() -> None:
    found = fairness.measure(fairness.Scale(days=0.5, tenants=4, nodes=2, backlog=2)).figures
    assert found["worst_tenant"] <= 1 <= found["best_tenant"]
    assert found["use"] > 0.5
    assert found["jobs"] > 8
    assert 0 <= found["estimates_within_factor_2"] <= 1
