"""What is seen of gangs whose pods go their own ways."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.adapters.kubernetes.configuration.cluster import Deadlines
from scheduler.adapters.kubernetes.driving import removal
from scheduler.adapters.memory.clock import ManualClock
from scheduler.core.model.attempt import WorkerEnd, WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import ClusterUnavailable
from tests.builders.blueprints import with_spec
from tests.builders.cluster import ATTEMPT, order
from tests.builders.eventually import eventually
from tests.builders.kubernetes import PATIENCE_S, Driven, node_document, seen, wait_seen
from tests.kubernetes.driving.fake import GANG, OTHER, are, run_out, wait_nothing_left, writes
from tests.kubernetes.fake_api.server import FakeApi


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


def test_a_clock_ahead_drops_no_events_and_those_of_an_earlier_life_are_not_told_again(
    api: FakeApi, driven: Driven
) -> None:
    driven.clock = ManualClock(datetime(2100, 1, 1, tzinfo=UTC))
    first = driven.cluster()
    hopeless = with_spec(order("wait"), environment=(("WAITS", "ErrImagePull"), ("MESSAGE", "no such image")))
    first.start(hopeless)

    assert eventually(first.notes, within_s=PATIENCE_S, what="a note")
    first.close()
    second = driven.cluster()
    wait_seen(second, "the worker", bool)
    assert second.notes() == []


def test_news_of_nodes_and_of_other_peoples_pods_are_told_and_heartbeats_are_not(
    api: FakeApi, cluster: KubernetesCluster
) -> None:
    told = Event()
    cluster.listen(told.set)

    def is_told(*, timeout_s: float = PATIENCE_S) -> bool:
        heard = told.wait(timeout_s)
        told.clear()
        return heard

    api.create("nodes", node_document("n2"))
    assert is_told()
    api.patch("nodes", "n2", {"spec": {"unschedulable": True}})
    assert is_told()
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}
    api.create("pods", {"metadata": {"name": "foreign"}, "spec": {"containers": [container], "nodeName": "n2"}})
    assert is_told()
    eventually(lambda: not is_told(timeout_s=0.2), within_s=PATIENCE_S, what="silence")
    node = api.get("nodes", "n2")
    assert node is not None
    heartbeat = [
        {**condition, "lastHeartbeatTime": "2026-01-01T00:01:00Z"} for condition in node["status"]["conditions"]
    ]
    beaten = api.patch("nodes", "n2", {"status": {"conditions": heartbeat}}, subresource="status")
    version = int(beaten["metadata"]["resourceVersion"])
    assert version > int(node["metadata"]["resourceVersion"])
    eventually(lambda: _version_of_node(cluster, "n2") == version, within_s=PATIENCE_S, what="the heartbeat")
    assert not told.is_set()


def test_a_cluster_that_cannot_be_reached_says_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = Driven(tmp_path / "none", tmp_path)
    cluster = broken.unready()

    def says() -> str:
        with pytest.raises(ClusterUnavailable) as problem:
            cluster.observe()
        return str(problem.value)

    eventually(lambda: "none" in says(), within_s=PATIENCE_S, what="the missing file to be named")
    assert not cluster.check()[0].is_ok
    assert " of cluster test: " in caplog.text  # one process may drive several
    broken.close()


def test_a_node_that_does_not_give_output_keeps_no_pod_for_ever(
    api: FakeApi, cluster: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "LOGS_LIMIT_S", 0.5)
    api.faults.add(path="/log", times=1000, drops=True)
    cluster.start(with_spec(GANG, environment=(("RUNS_S", "0"),)))
    wait_seen(cluster, "the end", are(WorkerPhase.EXITED))

    cluster.forget(ATTEMPT)

    wait_nothing_left(api)


def _version_of_node(cluster: KubernetesCluster, name: str) -> int:
    view = cluster._inventory.view(name)
    return 0 if view is None else view.version
