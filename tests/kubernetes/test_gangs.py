"""Starting, stopping and removing gangs, with faults that a real server does not show on request."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.adapters.kubernetes.configuration.cluster import Deadlines
from scheduler.core.model.attempt import SeenWorker, WorkerEnd, WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import ClusterUnavailable, StartFailed, StartRefusal
from tests.builders.blueprints import with_spec
from tests.builders.cluster import ATTEMPT, order
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, Driven, node_document, seen, wait_seen
from tests.kubernetes.fake_api.kubelet import NEVER_S, PodScript
from tests.kubernetes.fake_api.server import FakeApi

GANG = order("wait", workers=4)
OTHER = "0a1b2c3d4e5f6g7h-g0-a2"


def script(pod: dict[str, Any]) -> PodScript:
    """Read a pod's fate from the environment of its job."""
    said = {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0].get("env", ())}
    return PodScript(
        runs_s=float(said.get("RUNS_S", NEVER_S)),
        exit_code=int(said.get("EXIT_CODE", 0)),
        ended_reason=said.get("ENDED_REASON", ""),
        waits=said.get("WAITS", ""),
        rejected=said.get("REJECTED", ""),
        message=said.get("MESSAGE", ""),
        stops_after_s=float(said.get("STOPS_AFTER_S", 0)),
        log=b"hello\n",
    )


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi(schedules=True, script=script) as fake:
        fake.create("nodes", node_document())
        yield fake


@pytest.fixture
def driven(api: FakeApi, tmp_path: Path) -> Iterator[Driven]:
    made = Driven(api.kubeconfig(tmp_path / "kubeconfig"), tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def cluster(driven: Driven) -> KubernetesCluster:
    return driven.cluster()


def are(phase: WorkerPhase, workers: int = 4) -> Any:
    def look(found: list[SeenWorker]) -> bool:
        return len(found) == workers and {one.record.phase for one in found} == {phase}

    return look


def wait_nothing_left(api: FakeApi) -> None:
    def is_empty() -> bool:
        return not any(api.all(kind) for kind in ("pods", "configmaps", "secrets"))

    eventually(is_empty, within_s=PATIENCE_S, what="an empty cluster")


def run_out(api: FakeApi, cluster: KubernetesCluster) -> None:
    """Stop the gang, forget it, and see that nothing is left."""
    cluster.stop(ATTEMPT, grace_s=1)
    over = (WorkerPhase.EXITED, WorkerPhase.LOST)
    wait_seen(cluster, "the end", lambda found: all(one.record.phase in over for one in found))
    cluster.forget(ATTEMPT)
    assert seen(cluster) == []
    wait_nothing_left(api)


def writes(api: FakeApi, method: str, path: str = "") -> int:
    """Count the calls of a method and path that were meant."""
    calls = [call for call in api.client_calls if call.method == method and "dryRun" not in call.query]
    return sum(1 for call in calls if re.search(path, call.path) and "accessreview" not in call.path)


def test_a_gang_starts_runs_stops_and_leaves_nothing(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(GANG)

    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))
    assert {pod["spec"]["nodeName"] for pod in api.all("pods")} == {"n1"}
    run_out(api, cluster)


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
    assert message[:40] in str(refused.value)
    assert seen(cluster) == []
    wait_nothing_left(api)
    assert writes(api, "PATCH") == 0
    with pytest.raises(StartFailed):
        cluster.start(GANG)


def test_a_missing_namespace_is_said_with_what_to_do(driven: Driven) -> None:
    cluster = driven.cluster(namespace="nowhere")

    with pytest.raises(StartFailed, match="create the namespace") as refused:
        cluster.start(GANG)

    assert refused.value.refusal is StartRefusal.FORBIDDEN


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
    cluster.sweep(())
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
    assert seen(cluster) == []


def test_what_nobody_started_in_this_life_is_swept(api: FakeApi, driven: Driven) -> None:
    first = driven.cluster()
    api.faults.add(method="PATCH", times=100, code=503)
    with pytest.raises(ClusterUnavailable):
        first.start(GANG)
    first.sweep(())
    assert len(api.all("pods")) == 4  # its own starts are not swept
    first.close()
    api.faults.clear()

    second = driven.cluster()
    second.sweep({ATTEMPT})
    assert len(api.all("pods")) == 4
    second.sweep(())

    wait_nothing_left(api)


def test_pods_that_carry_our_labels_without_proof_are_never_touched(api: FakeApi, driven: Driven) -> None:
    first = driven.cluster()
    first.start(GANG)
    wait_seen(first, "all to run", are(WorkerPhase.RUNNING))

    other = driven.cluster(secret=b"of another server")
    assert seen(other) == []
    other.stop(ATTEMPT, grace_s=1)
    other.sweep(())
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


def test_a_pod_that_somebody_deletes_was_disrupted(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(GANG)
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))

    api.delete("pods", WorkerKey(ATTEMPT, 1).name, grace_s=1)

    found = wait_seen(cluster, "an end", lambda workers: workers[1].record.end is not None)
    assert found[1].record.end is WorkerEnd.DISRUPTED
    assert [one.record.end for one in found].count(None) == 3
    run_out(api, cluster)


def test_a_stopped_worker_holds_its_devices_until_its_pod_is_gone(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(with_spec(GANG, environment=(("STOPS_AFTER_S", "0.5"),)))
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))

    cluster.stop(ATTEMPT, grace_s=5)

    eventually(lambda: all("deletionTimestamp" in pod["metadata"] for pod in api.all("pods")), within_s=PATIENCE_S)
    assert are(WorkerPhase.RUNNING)(seen(cluster))
    found = wait_seen(cluster, "the end", are(WorkerPhase.EXITED))
    assert {(one.record.end, one.record.exit_code) for one in found} == {(WorkerEnd.STOPPED, -15)}


def test_a_grace_of_nothing_is_still_a_second(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(GANG)
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))

    cluster.stop(ATTEMPT, grace_s=0)

    eventually(lambda: writes(api, "DELETE", "/pods/") == 4, within_s=PATIENCE_S)
    deletes = [call.document for call in api.client_calls if call.method == "DELETE" and "/pods/" in call.path]
    assert all(one["gracePeriodSeconds"] == 1 and one["preconditions"]["uid"] for one in deletes)


def test_a_member_restarted_by_hand_does_not_take_its_place(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(GANG)
    wait_seen(cluster, "all to run", are(WorkerPhase.RUNNING))
    name = WorkerKey(ATTEMPT, 1).name
    copy = api.get("pods", name)
    assert copy is not None
    api.vanish("pods", name)
    kept = {key: copy["metadata"][key] for key in ("name", "labels", "annotations", "ownerReferences")}
    spec = {key: value for key, value in copy["spec"].items() if key != "nodeName"}
    again = api.create("pods", {"metadata": kept, "spec": spec})

    found = wait_seen(cluster, "an end", lambda workers: workers[1].record.end is not None)
    assert found[1].record.end is WorkerEnd.DISRUPTED

    def is_removed() -> bool:
        cluster.observe()
        stranger = api.get("pods", name)
        return stranger is None or stranger["metadata"]["uid"] != again["metadata"]["uid"]

    eventually(is_removed, within_s=PATIENCE_S, what="the stranger to be removed")
    run_out(api, cluster)


@pytest.mark.parametrize(
    ("says", "want_end", "want_phase"),
    [
        ({"REJECTED": "OutOfnvidia.com/gpu"}, WorkerEnd.REJECTED, WorkerPhase.LOST),
        ({"REJECTED": "UnexpectedAdmissionError"}, WorkerEnd.REJECTED, WorkerPhase.LOST),
        ({"REJECTED": "Evicted"}, WorkerEnd.DISRUPTED, WorkerPhase.LOST),
        ({"WAITS": "InvalidImageName"}, WorkerEnd.UNSTARTABLE, WorkerPhase.PENDING),
        ({"RUNS_S": "0", "EXIT_CODE": "137", "ENDED_REASON": "OOMKilled"}, WorkerEnd.MEMORY_LIMIT, WorkerPhase.EXITED),
        ({"RUNS_S": "0", "EXIT_CODE": "3"}, WorkerEnd.EXITED, WorkerPhase.EXITED),
    ],
)
def test_each_end_of_a_pod_has_its_class(
    api: FakeApi, cluster: KubernetesCluster, says: dict[str, str], want_end: WorkerEnd, want_phase: WorkerPhase
) -> None:
    cluster.start(with_spec(order("wait"), environment=tuple({"MESSAGE": "so it is", **says}.items())))

    record = wait_seen(cluster, "the end", lambda found: found[0].record.end is not None)[0].record

    assert (record.end, record.phase) == (want_end, want_phase)
    run_out(api, cluster)


def test_a_rejected_pod_gives_its_node_a_rest(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(with_spec(order("wait"), environment=(("REJECTED", "OutOfcpu"),)))

    wait_seen(cluster, "the end", lambda found: found[0].record.end is not None)

    assert "rests after a failed start" in cluster.inventory()[0].note


def test_an_unschedulable_pod_is_given_up_after_a_while(api: FakeApi, driven: Driven) -> None:
    cluster = driven.cluster(deadlines=Deadlines(unschedulable_s=1))
    cluster.start(order("wait"))
    api.patch("nodes", "n1", {"spec": {"unschedulable": True}})
    cluster.start(order("wait", attempt=OTHER))

    found = wait_seen(cluster, "the end", lambda workers: workers[0].record.end is not None, OTHER)

    assert (found[0].record.phase, found[0].record.end) == (WorkerPhase.PENDING, WorkerEnd.REJECTED)
    assert "Unschedulable" in (found[0].record.detail or "")


def test_the_output_of_a_forgotten_worker_can_be_read(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(with_spec(order("wait"), environment=(("RUNS_S", "0"),)))
    wait_seen(cluster, "the end", are(WorkerPhase.EXITED, 1))

    cluster.forget(ATTEMPT)

    wait_nothing_left(api)
    chunk = cluster.logs(WorkerKey(ATTEMPT, 0), offset=0, limit=100)
    assert (chunk.text, chunk.is_complete) == ("hello\n", True)


def test_events_about_our_pods_become_notes(api: FakeApi, cluster: KubernetesCluster) -> None:
    cluster.start(with_spec(order("wait"), environment=(("WAITS", "ErrImagePull"), ("MESSAGE", "no such image"))))

    notes = eventually(cluster.notes, within_s=PATIENCE_S, what="a note")

    assert (notes[0].attempt, notes[0].rank) == (ATTEMPT, 0)
    assert "no such image" in notes[0].text
    assert cluster.notes() == []


def test_a_cluster_that_cannot_be_reached_says_why(tmp_path: Path) -> None:
    broken = Driven(tmp_path / "none", tmp_path)
    cluster = broken.unready()

    def says() -> str:
        with pytest.raises(ClusterUnavailable) as problem:
            cluster.observe()
        return str(problem.value)

    eventually(lambda: "none" in says(), within_s=PATIENCE_S, what="the missing file to be named")
    assert not cluster.check()[0].is_ok
    broken.close()


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


def test_closing_ends_every_thread(api: FakeApi, driven: Driven) -> None:
    before = set(enumerate_threads())
    cluster = driven.cluster()
    cluster.start(GANG)
    cluster.logs(WorkerKey(ATTEMPT, 0), offset=0, limit=100)

    cluster.close()

    left = [thread.name for thread in set(enumerate_threads()) - before if not thread.name.startswith("Thread-")]
    assert left == []  # those with plain names serve the fake's connections
