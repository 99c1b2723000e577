"""The benchmarks of the ledger, at a size that takes no time: what they measure exists and makes sense."""

from itertools import islice
from random import Random

import pytest

from bench import decision, ledger_load, memory
from bench.decision import Timed
from bench.ledger.asking import Case, asks, infeasible
from bench.ledger.population import CHIPS_OF_A_JOB, DEVICES, chips_from, populate
from bench.ledger.traffic import Traffic
from bench.report import Measurement, document

NODES = 64


def goals(measurement: Measurement) -> dict[str, bool]:
    """Return which goals hold."""
    judged = document("sample", measurement, 1.0)["goals"]
    return {goal["figure"]: goal["holds"] for goal in judged}


def test_the_cluster_is_about_sixty_percent_used_and_can_be_loaded() -> None:
    population = populate(NODES * 10)
    assert 0.5 < population.devices_used / (NODES * 10 * DEVICES) < 0.7
    assert len(population.state().live) == len(population.attempts) == len(population.jobs)
    assert 0.15 < sum(node.tenant is not None for node in population.nodes) / len(population.nodes) < 0.25


def test_the_cluster_is_the_same_each_time() -> None:
    assert populate(NODES) == populate(NODES)


def test_a_job_accepts_half_of_the_chip_types_each_once() -> None:
    assert len(set(chips_from("chip-09"))) == CHIPS_OF_A_JOB
    assert chips_from("chip-09")[0] == "chip-09"


def test_decisions_of_every_sort_that_a_small_cluster_has_room_for_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "unit_cpu_ns", lambda: 50.0)
    runs, states = decision.on_cluster("100k", NODES, decision.Size(runs=2, part=0.1))
    assert {
        "g1_100k",
        "g8_100k",
        "g8_preferred_100k",
        "share_100k",
        "infeasible_100k",
        "first_100k",
        "hopeless_100k",
    } <= runs.keys()
    for timed in runs.values():
        assert all(0 < one.p50_ns <= one.p99_ns and one.unit_ns > 0 for one in timed)
    assert len(runs["g1_100k"]) == 2
    assert states["distinct_states"] > 20
    assert states["states_scored"] > 0


def test_after_every_batch_the_ledger_is_as_it_was_before() -> None:
    population = populate(NODES)
    state = population.state()
    before = state.digest()
    traffic = Traffic(population, state, Random(1))
    times = traffic.batch(islice(asks(Case("g8", 8), Random(1)), 20))["g8"]
    assert times.placed
    assert traffic.batch_beside_others(islice(infeasible(population, Random(1)), 20)).waiting
    assert state.digest() == before


def test_decisions_are_judged_in_units_by_the_median_of_the_runs() -> None:
    cases = ("g1", "g64", "g1024", "infeasible", "hopeless", "first", "share", "g64_required", "g64_preferred")
    runs = {f"{case}_100k": [Timed(5_000, 9_000, 50), Timed(6_000, 9_000, 50), Timed(1e9, 1e9, 50)] for case in cases}
    runs["g64_preferred_100k"] = [Timed(30_000, 90_000, 50)]
    for label, p50_ns in (("1k", 10_000), ("10k", 20_000), ("100k", 40_000)):
        runs[f"g8_{label}"] = [Timed(p50_ns, p50_ns, 50)]
    found = decision.judged(runs, {"distinct_states": 7}, decision.FULL.nodes)
    assert found.figures["g1_100k_p50_units"] == pytest.approx(120)
    assert found.figures["g1_100k_p50_us"] == pytest.approx(6)
    assert found.figures["g1024_100k_p99_units"] == pytest.approx(180)
    assert found.figures["exponent_g8"] == pytest.approx(0.30103)
    assert found.figures["slowest_variant_ratio"] == pytest.approx(5)
    assert goals(found) == {
        "g1_100k_p50_units": False,
        "g64_100k_p50_units": True,
        "g64_100k_p99_units": True,
        "g1024_100k_p99_units": True,
        "infeasible_100k_p99_units": True,
        "hopeless_100k_p99_units": True,
        "exponent_g8": False,
        "slowest_variant_ratio": False,
    }


def test_the_memory_of_nodes_and_jobs_is_weighed() -> None:
    found = memory.measure(memory.Size(count=NODES))
    assert 100 < found.figures["traced_bytes_per_node"] < 100_000
    assert 500 < found.figures["traced_bytes_per_job"] < 100_000
    assert set(goals(found)) == {"bytes_per_node", "bytes_per_job"}


def test_loading_is_timed_per_node() -> None:
    found = ledger_load.measure(ledger_load.Size(nodes=NODES, runs=2))
    assert found.figures["us_per_node"] > 0
    assert found.figures["units_per_node"] > 0
    assert set(goals(found)) == {"units_per_node"}
