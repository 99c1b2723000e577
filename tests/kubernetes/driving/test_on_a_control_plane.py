"""What goes wrong with gangs on a real control plane: each fault ends in its class, with nothing left behind."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.adapters.kubernetes.configuration.cluster import Deadlines
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate
from scheduler.core.model.attempt import SeenWorker, WorkerEnd, WorkerPhase
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import ClusterUnavailable, GangOrder, StartFailed, StartRefusal
from tests.builders.blueprints import RESOURCE, with_spec
from tests.builders.cluster import ATTEMPT, order
from tests.builders.eventually import eventually
from tests.builders.kubernetes import KNOWN_AS, Driven, seen, wait_seen
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, remove_nodes

PATIENCE_S = 90.0
OVER = (WorkerPhase.EXITED, WorkerPhase.LOST)


@pytest.fixture
def nodes(control_plane: ControlPlane, namespace: str) -> Iterator[list[str]]:
    names = add_nodes(
        control_plane.api, [NodeShape(f"{namespace}-{number}", {RESOURCE: 8}, labels=KNOWN_AS) for number in range(2)]
    )
    yield names
    present = {one["metadata"]["name"] for one in control_plane.api.get(path_of("nodes"))["items"]}
    remove_nodes(control_plane.api, [name for name in names if name in present])


@pytest.fixture
def driven(control_plane: ControlPlane, namespace: str, nodes: list[str], tmp_path: Path) -> Iterator[Driven]:
    settings = {"namespace": namespace, "deadlines": Deadlines(2, 20, 2, 2)}
    made = Driven(control_plane.kubeconfig(), tmp_path / "data", settings=settings)
    yield made
    made.close()


@pytest.fixture
def cluster(driven: Driven) -> KubernetesCluster:
    return driven.cluster()


def gang(nodes: list[str], **environment: str) -> GangOrder:
    """Order a gang that is spread over the nodes; the environment says how KWOK plays it."""
    given = with_spec(order("wait", workers=4), environment=tuple(environment.items()))
    placed = [replace(one, node=f"test/{nodes[one.rank % len(nodes)]}") for one in given.allocations]
    return replace(given, allocations=tuple(placed))


def all_run(found: list[SeenWorker]) -> bool:
    return {one.record.phase for one in found} == {WorkerPhase.RUNNING}


def run_out(plane: ControlPlane, namespace: str, cluster: KubernetesCluster) -> None:
    """Do what reconciling does with a gang that is to end, and see that nothing is left."""

    def is_over() -> bool:
        cluster.stop(ATTEMPT, grace_s=1)
        return all(one.record.phase in OVER for one in seen(cluster))

    eventually(is_over, within_s=PATIENCE_S, what="the end")
    cluster.forget(ATTEMPT)
    wait_nothing_left(plane, namespace)


def wait_nothing_left(plane: ControlPlane, namespace: str) -> None:
    def left() -> list[str]:
        kinds = ("pods", "secrets", "configmaps")
        found = [one for kind in kinds for one in plane.api.get(path_of(kind, namespace=namespace))["items"]]
        return [one["metadata"]["name"] for one in found if one["metadata"]["name"] != "kube-root-ca.crt"]

    eventually(lambda: not left(), within_s=PATIENCE_S, what="an empty namespace")


@pytest.mark.parametrize(
    ("fate", "want"),
    [
        ({"TESTBED_REJECT": "OutOfcpu"}, WorkerEnd.REJECTED),
        ({"TESTBED_REJECT": "UnexpectedAdmissionError"}, WorkerEnd.REJECTED),
        ({"TESTBED_REJECT": "NodeAffinity"}, WorkerEnd.REJECTED),
        ({"TESTBED_WAIT": "InvalidImageName"}, WorkerEnd.UNSTARTABLE),
        ({"TESTBED_WAIT": "ImagePullBackOff"}, WorkerEnd.UNSTARTABLE),
        ({"TESTBED_WAIT": "CreateContainerConfigError"}, WorkerEnd.UNSTARTABLE),
        ({"TESTBED_EVICT": "1"}, WorkerEnd.DISRUPTED),
        (
            {"TESTBED_RUNS_S": "0", "TESTBED_EXIT_CODE": "137", "TESTBED_EXIT_REASON": "OOMKilled"},
            WorkerEnd.MEMORY_LIMIT,
        ),
        ({"TESTBED_RUNS_S": "0", "TESTBED_EXIT_CODE": "3"}, WorkerEnd.EXITED),
    ],
)
def test_one_worker_with_a_fate_of_its_own_has_its_class(
    control_plane: ControlPlane, nodes: list[str], cluster: KubernetesCluster, fate: dict[str, str], want: WorkerEnd
) -> None:
    namespace = nodes[0].rpartition("-")[0]
    cluster.start(gang(nodes, **fate, TESTBED_RANK="1"))

    found = wait_seen(cluster, "the end of worker 1", lambda workers: workers[1].record.end is not None)

    assert found[1].record.end is want
    assert {one.record.end for one in found if one.key.rank != 1} == {None}
    run_out(control_plane, namespace, cluster)


def test_a_quota_that_lets_only_some_pods_in_refuses_the_gang(
    control_plane: ControlPlane, namespace: str, nodes: list[str], cluster: KubernetesCluster
) -> None:
    quotas = path_of("resourcequotas", namespace=namespace)
    control_plane.api.create(quotas, {"metadata": {"name": "two"}, "spec": {"hard": {"pods": "2"}}})
    eventually(
        lambda: control_plane.api.get(f"{quotas}/two").get("status", {}).get("hard"), within_s=PATIENCE_S, what="quota"
    )

    def refusal() -> StartFailed | None:
        try:
            cluster.start(gang(nodes))
        except StartFailed as failure:
            return failure
        except ClusterUnavailable:  # the quota is still counting
            return None
        return None

    failure = eventually(refusal, within_s=PATIENCE_S, what="the refusal")

    assert failure.refusal is StartRefusal.QUOTA
    assert seen(cluster) == []
    wait_nothing_left(control_plane, namespace)


def test_pod_security_that_refuses_is_said_and_leaves_nothing(
    control_plane: ControlPlane, namespace: str, nodes: list[str], driven: Driven
) -> None:
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    control_plane.api.patch(path_of("namespaces", namespace), label)
    cluster = driven.cluster(pools=(PoolTemplate(has_host_network=True),))

    with pytest.raises(StartFailed, match="PodSecurity") as refused:
        cluster.start(gang(nodes))

    assert refused.value.refusal is StartRefusal.DENIED
    wait_nothing_left(control_plane, namespace)


def test_a_foreign_pod_that_takes_the_devices_before_the_gang_makes_it_unschedulable(
    control_plane: ControlPlane, namespace: str, nodes: list[str], cluster: KubernetesCluster
) -> None:
    resources = {"limits": {RESOURCE: "8"}}
    container = {"name": "c", "image": "busy:1", "resources": resources}
    body = {"metadata": {"name": "foreign"}, "spec": {"containers": [container], "nodeName": nodes[0]}}
    control_plane.api.create(path_of("pods", namespace=namespace), body)

    cluster.start(gang(nodes))

    found = wait_seen(cluster, "the end", lambda workers: workers[0].record.end is not None)
    assert found[0].record.end is WorkerEnd.REJECTED
    assert "Insufficient" in (found[0].record.detail or "")
    control_plane.api.delete(path_of("pods", "foreign", namespace=namespace))
    run_out(control_plane, namespace, cluster)


def test_a_gang_goes_on_while_the_api_server_is_killed_and_started_again(
    control_plane: ControlPlane, namespace: str, nodes: list[str], cluster: KubernetesCluster
) -> None:
    cluster.start(gang(nodes))
    before = wait_seen(cluster, "all to run", all_run)

    control_plane.kill_api_server()
    with pytest.raises(ClusterUnavailable):
        cluster.start(replace(gang(nodes), attempt="0a1b2c3d4e5f6g7h-g0-a2"))
    assert seen(cluster) == before
    cluster.stop(ATTEMPT, grace_s=1)
    control_plane.start_api_server()

    run_out(control_plane, namespace, cluster)


def test_deleting_the_namespace_under_a_running_gang_disrupts_it(
    control_plane: ControlPlane, namespace: str, nodes: list[str], driven: Driven
) -> None:
    other = control_plane.make_namespace(f"{namespace}-doomed")
    cluster = driven.cluster(namespace=other)
    cluster.start(gang(nodes))
    wait_seen(cluster, "all to run", all_run)

    control_plane.api.delete(path_of("namespaces", other))

    found = wait_seen(cluster, "the end", lambda workers: all(one.record.phase in OVER for one in workers))
    assert {one.record.end for one in found} == {WorkerEnd.DISRUPTED}
    cluster.forget(ATTEMPT)
    control_plane.remove_namespace(other)


def test_draining_a_node_disrupts_the_worker_there(
    control_plane: ControlPlane, namespace: str, nodes: list[str], cluster: KubernetesCluster
) -> None:
    cluster.start(gang(nodes))
    wait_seen(cluster, "all to run", all_run)
    name = WorkerKey(ATTEMPT, 1).name
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}

    control_plane.api.call("POST", f"{path_of('pods', name, namespace=namespace)}/eviction", eviction)

    found = wait_seen(cluster, "the end", lambda workers: workers[1].record.end is not None)
    assert found[1].record.end is WorkerEnd.DISRUPTED
    assert "Eviction" in (found[1].record.detail or "")
    run_out(control_plane, namespace, cluster)


def test_deleting_a_node_disrupts_its_workers(
    control_plane: ControlPlane, namespace: str, nodes: list[str], cluster: KubernetesCluster
) -> None:
    cluster.start(gang(nodes))
    wait_seen(cluster, "all to run", all_run)

    remove_nodes(control_plane.api, [nodes[1]])

    found = wait_seen_long(cluster, lambda workers: workers[1].record.end is not None)
    assert found[1].record.end is WorkerEnd.DISRUPTED
    run_out(control_plane, namespace, cluster)


def wait_seen_long(cluster: KubernetesCluster, is_so: Any) -> list[SeenWorker]:
    """Wait for what the control plane needs a minute for: collecting pods of nodes that are gone."""
    return eventually(
        lambda: found if is_so(found := seen(cluster)) else None, within_s=150.0, what="the end of a worker"
    )
