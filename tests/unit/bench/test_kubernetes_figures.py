"""From what was measured on Kubernetes to figures and goals."""

import pytest

from bench import kube_churn, kube_list, kube_start, kube_watch
from bench.kube_churn import Tally
from bench.kube_start import Start
from bench.kube_watch import Late
from bench.report import Measurement, document
from bench.spread import percentile


def goals(measurement: Measurement) -> dict[str, bool]:
    """Return which goals hold."""
    judged = document("sample", measurement, 1.0)["goals"]
    return {goal["figure"]: goal["holds"] for goal in judged}


def test_a_percentile_lies_between_the_values_around_it() -> None:
    assert percentile([3.0], 99) == 3.0
    assert percentile([float(value) for value in range(101)], 90) == 90.0


@pytest.mark.parametrize(("bound_s", "holds"), [(1.3, True), (1.31, False)])
def test_starting_is_judged_by_the_median_of_what_neighbours_took(bound_s: float, *, holds: bool) -> None:
    ours = [Start(0.1, bound_s, 9.0), Start(0.1, bound_s * 20, 9.0), Start(0.1, 99.0, 99.0)]
    bare = [Start(0.1, 1.0, 3.0), Start(0.1, 20.0, 3.0), Start(0.1, 0.5, 3.0)]
    found = kube_start.judged(ours, bare)
    assert found.figures["bound_ratio_p50"] == pytest.approx(bound_s)
    assert found.figures["running_ratio_p50"] == pytest.approx(3.0)
    assert found.figures["bound_p50_ms"] == pytest.approx(bound_s * 20_000)
    assert found.calibrators["bare_bound_p50_ms"] == pytest.approx(1000)
    assert goals(found) == {"bound_ratio_p50": holds}


def test_passing_jobs_are_judged_per_second_and_by_processor_time_per_life() -> None:
    ours = Tally(lives=100, seconds=20.0, processor_s=2.0, cluster_s=4.0)
    bare = Tally(lives=50, seconds=5.0, processor_s=0.5, cluster_s=1.0)
    found = kube_churn.judged(ours, bare)
    assert found.figures["jobs_ratio"] == pytest.approx(0.5)
    assert found.figures["cpu_ratio"] == pytest.approx(2.0)
    assert found.figures["cpu_per_life_ms"] == pytest.approx(20)
    assert found.figures["cluster_cpu_per_life_ms"] == pytest.approx(40)
    assert goals(found) == {"jobs_ratio": True, "cpu_ratio": True}
    ours.processor_s, ours.seconds = 2.6, 20.1
    assert goals(kube_churn.judged(ours, bare)) == {"jobs_ratio": False, "cpu_ratio": False}


def test_lists_are_judged_by_how_many_times_typed_models_take() -> None:
    ours = [{"seconds": 1.0, "peak_mib": 10.0, "objects": 30.0}]
    found = kube_list.judged(ours, [{"seconds": 10.0, "peak_mib": 49.0, "objects": 30.0}])
    assert found.figures["time_ratio"] == pytest.approx(10)
    assert found.figures["memory_ratio"] == pytest.approx(4.9)
    assert found.figures["objects_per_s"] == pytest.approx(30)
    assert goals(found) == {"time_ratio": True, "memory_ratio": False}


def test_watches_are_judged_by_events_and_by_what_is_late_beyond_the_bare_reader() -> None:
    found = kube_watch.judged([5000.0], [1000.0], Late(ours=[10.0] * 90 + [80.0] * 10, bare=[20.0] * 100))
    assert found.figures["events_ratio"] == pytest.approx(5)
    assert found.figures["extra_lag_p99_ms"] == pytest.approx(60)
    assert found.figures["lag_p50_ms"] == pytest.approx(10)
    assert goals(found) == {"events_ratio": True, "extra_lag_p99_ms": False}
