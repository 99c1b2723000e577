"""Every benchmark on Kubernetes runs, at the smallest size that shows its parts working together."""

from bench import kube_churn, kube_list, kube_start, kube_watch
from tests.kubernetes.testbed.control_plane import ControlPlane


def test_gangs_start_and_one_pod_jobs_pass_through(control_plane: ControlPlane) -> None:
    started = kube_start.measure(kube_start.Size(nodes=4, workers=2, gangs=1), plane=control_plane)
    assert started.figures["gangs"] == 1
    assert 0 < started.figures["created_p50_ms"] <= started.figures["bound_p50_ms"] <= started.figures["running_p50_ms"]
    passed = kube_churn.measure(kube_churn.Size(nodes=2, jobs=4, turns=1), plane=control_plane)
    assert passed.figures["jobs"] == 4
    assert passed.figures["cpu_per_life_ms"] > 0
    assert passed.calibrators["bare_cpu_per_life_ms"] > 0


def test_lists_and_watches_are_read_by_every_reader() -> None:
    listed = kube_list.measure(kube_list.Size(pods=30, nodes=10, turns=1))
    assert listed.figures["objects"] == 40
    watched = kube_watch.measure(kube_watch.Size(pods=10, events=100, models_events=50, turns=1, per_second=200.0))
    assert watched.figures["lag_events"] == 100
    assert watched.figures["events_per_s"] > 0
