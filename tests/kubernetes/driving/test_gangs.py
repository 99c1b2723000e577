"""Starting and removing gangs, with faults that a real server does not show on request."""

import json
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import ClusterUnavailable, StartFailed, StartRefusal
from tests.builders.blueprints import RESOURCE, with_spec
from tests.builders.cluster import ATTEMPT, counted, order, with_launcher
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, Driven, seen, wait_seen
from tests.kubernetes.driving.fake import GANG, are, run_out, wait_nothing_left, writes
from tests.kubernetes.fake_api.server import FakeApi


def test_a_gang_starts_runs_stops_and_leaves_nothing(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(GANG)

    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))
    assert {pod["spec"]["nodeName"] for pod in api.all("pods")} == {"n1"}
    run_out(api, cluster)


def test_a_rank_without_devices_runs_beside_those_that_have_some(api: FakeApi, driven: Driven) -> None:
    taint = {"key": RESOURCE, "value": "present", "effect": "NoSchedule"}
    api.patch("nodes", "n1", {"spec": {"taints": [taint]}})
    cluster = driven.cluster()

    cluster.start(with_launcher(counted(order("wait", workers=7)), "wait"))

    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING, workers=8))
    asked = [pod["spec"]["containers"][0]["resources"]["limits"].get(RESOURCE) for pod in api.all("pods")]
    assert sorted(asked, key=str) == ["1"] * 7 + [None]
    run_out(api, cluster)


def test_a_gang_whose_device_type_is_gone_from_its_node_is_refused(cluster: KubernetesCluster) -> None:
    (allocation,) = order("wait").allocations

    with pytest.raises(StartFailed, match="node n1 has no devices of type mlu590"):
        cluster.start(replace(order("wait"), allocations=(replace(allocation, chip="mlu590"),)))


def test_no_gate_opens_before_all_pods_exist(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(GANG)

    called = [(call.method, call.path) for call in api.client_calls if call.method in ("POST", "PATCH")]
    first_patch = next(index for index, (method, _) in enumerate(called) if method == "PATCH")
    made = [path for method, path in called[:first_patch] if method == "POST" and path.endswith("/pods")]
    assert len(made) == 4
    assert sum(1 for method, _ in called if method == "PATCH") == 4


def test_starting_again_writes_nothing(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(GANG)
    written = writes(api, "POST") + writes(api, "PATCH")

    cluster.start(GANG)

    assert writes(api, "POST") + writes(api, "PATCH") == written


@pytest.mark.parametrize(
    ("message", "want"),
    [
        ('pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2', "quota"),
        ('pods is forbidden: User "m" cannot create resource "pods" in API group ""', "forbidden"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": host namespaces', "denied"),
        ('admission webhook "w.example" denied the request: no', "denied"),
        ('pods "x" is forbidden: unable to create new content in namespace n because it is being terminated', "failed"),
    ],
)
def test_a_refused_pod_takes_its_whole_gang_back(
    api: FakeApi, cluster: KubernetesCluster, message: str, want: str
) -> None:
    status = {"kind": "Status", "reason": "Forbidden", "code": 403, "message": message}
    body = json.dumps(status).encode()
    api.faults.add(method="POST", path="/pods$", times=1, code=403, body=body)

    with pytest.raises(StartFailed) as refused:
        cluster.start(GANG)

    assert refused.value.refusal == StartRefusal(want)
    assert str(refused.value).count(message) == 1
    assert "on the cluster:" not in str(refused.value)  # what the kind means is said by who tells people
    assert seen(cluster) == []
    wait_nothing_left(api)
    assert writes(api, "PATCH") == 0
    with pytest.raises(StartFailed):
        cluster.start(GANG)


def test_a_missing_namespace_is_said_with_what_to_do(driven: Driven) -> None:
    cluster = driven.cluster(namespace="nowhere")

    with pytest.raises(StartFailed, match="create the namespace") as refused:
        cluster.start(GANG)

    assert refused.value.refusal is StartRefusal.FAILED


@pytest.mark.parametrize("kind", ["configmaps", "pods"])
def test_what_has_our_name_and_is_not_ours_is_left_alone(api: FakeApi, cluster: KubernetesCluster, kind: str) -> None:
    name = ATTEMPT if kind == "configmaps" else WorkerKey(ATTEMPT, 2).name
    labels = {"medley/instance": "0" * 16, "medley/attempt": ATTEMPT, "medley/rank": "2"}
    spec = {"spec": {"containers": [{"name": "c", "image": "i"}], "schedulingGates": [{"name": "own"}]}}
    body = {"metadata": {"name": name, "labels": labels}} | (spec if kind == "pods" else {})
    foreign = api.create(kind, body)

    with pytest.raises(StartFailed) as refused:
        cluster.start(GANG)

    assert refused.value.refusal is StartRefusal.NAME_TAKEN
    cluster.sweep((), unfinished=())
    cluster.forget(ATTEMPT)
    found = api.get(kind, name)
    assert found is not None
    assert found["metadata"]["uid"] == foreign["metadata"]["uid"]
    eventually(lambda: not api.all("secrets") and len(api.all("pods")) <= 1, within_s=PATIENCE_S)


@pytest.mark.parametrize("fault", [{"code": 503}, {"drops": True}, {"drops": True, "is_done_first": True}])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "configmaps$"), ("POST", "secrets$"), ("POST", "/pods$"), ("PATCH", "")]
)
def test_a_start_that_was_cut_off_goes_on_where_it_stopped(
    api: FakeApi, cluster: KubernetesCluster, fault: dict[str, Any], method: str, path: str
) -> None:
    api.faults.add(method=method, path=path, times=2, **fault)

    def start() -> bool:
        with suppress(ClusterUnavailable):
            cluster.start(GANG)
            return True
        return False

    assert not start()
    eventually(start, within_s=PATIENCE_S, what="the start")
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))
    assert len(api.all("pods")) == 4
    assert len(api.all("configmaps")) == 1
    run_out(api, cluster)


def test_a_half_started_gang_is_not_seen(api: FakeApi, cluster: KubernetesCluster) -> None:
    api.faults.add(method="PATCH", times=100, code=503)

    with pytest.raises(ClusterUnavailable):
        cluster.start(GANG)

    assert len(api.all("pods")) == 4
    assert seen(cluster) == []


def test_a_stop_during_the_start_leaves_nothing(api: FakeApi, cluster: KubernetesCluster) -> None:
    api.faults.add(method="POST", path="/pods$", times=16, delay_s=0.3)
    failed: list[StartFailed] = []

    def start() -> None:
        try:
            cluster.start(order("wait", workers=20))
        except StartFailed as failure:
            failed.append(failure)

    thread = Thread(target=start)
    thread.start()
    eventually(lambda: writes(api, "POST", "/pods$"), within_s=PATIENCE_S)
    cluster.stop(ATTEMPT, grace_s=1)
    thread.join(PATIENCE_S)

    assert [failure.refusal for failure in failed] == [StartRefusal.STOPPED]
    wait_nothing_left(api)
    eventually(lambda: seen(cluster) == [], within_s=PATIENCE_S, what="the cluster to have seen that")


def test_what_nobody_started_in_this_life_is_swept(api: FakeApi, driven: Driven) -> None:
    first = driven.cluster()
    api.faults.add(method="PATCH", times=100, code=503)
    with pytest.raises(ClusterUnavailable):
        first.start(GANG)
    first.sweep((), unfinished=())
    assert len(api.all("pods")) == 4  # its own starts are not swept
    first.close()
    api.faults.clear()

    second = driven.cluster()
    second.sweep({ATTEMPT}, unfinished=())
    assert len(api.all("pods")) == 4
    second.sweep((), unfinished=())

    wait_nothing_left(api)


def test_pods_that_carry_our_labels_without_proof_are_never_touched(api: FakeApi, driven: Driven) -> None:
    first = driven.cluster()
    first.start(GANG)
    wait_seen(first, "all to run", are(WorkerPhase.RUNNING))

    other = driven.cluster(secret=b"of another server")
    assert seen(other) == []
    other.stop(ATTEMPT, grace_s=1)
    other.sweep((), unfinished=())
    other.forget(ATTEMPT)
    other.close()

    assert len(api.all("pods")) == 4
    assert writes(api, "DELETE") == 0


def test_another_life_adopts_a_running_gang(api: FakeApi, driven: Driven) -> None:
    first = driven.cluster()
    first.start(GANG)
    before = wait_seen(first, "all to run", are(WorkerPhase.RUNNING))
    first.close()
    written = writes(api, "POST", "/pods$|configmaps$|secrets$")

    second = driven.cluster()
    second.start(GANG)

    assert seen(second) == before
    assert writes(api, "POST", "/pods$|configmaps$|secrets$") == written
    run_out(api, second)


def test_a_storm_of_429_is_waited_out(api: FakeApi, cluster: KubernetesCluster) -> None:
    storm = api.faults.answer(429, retry_after_s=1, method="POST", times=3)

    def start() -> bool:
        with suppress(ClusterUnavailable):
            cluster.start(GANG)
            return True
        return False

    eventually(start, within_s=PATIENCE_S, what="the start")

    assert storm.hits == 3
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))


def test_many_gangs_start_at_once(api: FakeApi, cluster: KubernetesCluster) -> None:
    attempts = [f"0a1b2c3d4e5f6g7h-g{number}-a1" for number in range(8)]
    starts = [Thread(target=cluster.start, args=(order("wait", attempt=attempt),)) for attempt in attempts]

    for start in starts:
        start.start()
    for start in starts:
        start.join(PATIENCE_S)

    def all_run() -> bool:
        return [one.record.phase for one in cluster.observe()] == [WorkerPhase.RUNNING] * 8

    eventually(all_run, within_s=PATIENCE_S, what="all to run")
    assert {one.key.attempt for one in cluster.observe()} == set(attempts)


def test_forgetting_what_never_was_keeps_nobody_from_starting_it(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.forget(ATTEMPT)

    cluster.start(GANG)

    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))


def test_a_member_deleted_between_creation_and_its_gate_ends_the_gang(api: FakeApi, driven: Driven) -> None:
    first = driven.cluster()
    api.faults.add(method="PATCH", path="-r[23]$", times=100, code=503)
    with pytest.raises(ClusterUnavailable):
        first.start(GANG)
    first.close()
    api.faults.clear()
    api.vanish("pods", WorkerKey(ATTEMPT, 3).name)

    second = driven.cluster()
    second.start(GANG)

    found = wait_seen(second, "the end of the missing one", lambda workers: workers[-1].record.end is not None)
    assert (found[-1].key.rank, found[-1].record.end) == (3, WorkerEnd.DISRUPTED)
    assert api.get("pods", WorkerKey(ATTEMPT, 3).name) is None
    run_out(api, second)


def test_a_gang_whose_first_worker_has_already_succeeded_is_opened_to_its_end(api: FakeApi, driven: Driven) -> None:
    quick = with_spec(GANG, environment=(("RUNS_S", "0"),))
    first = driven.cluster()
    api.faults.add(method="PATCH", path="-r[123]$", times=100, code=503)
    with pytest.raises(ClusterUnavailable):
        first.start(quick)
    first.close()
    api.faults.clear()

    second = driven.cluster()
    wait_seen(second, "the end of worker 0", are(WorkerPhase.EXITED, 1))
    second.start(quick)

    found = wait_seen(second, "the end of all", are(WorkerPhase.EXITED))
    assert {one.record.exit_code for one in found} == {0}
    run_out(api, second)
