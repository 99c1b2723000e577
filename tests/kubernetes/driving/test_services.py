"""The service of a server on a real control plane: one for all attempts of a job, and gone with the last of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from scheduler.core.model.attempt import WorkerPhase
from scheduler.ports.cluster import GangOrder, StartFailed, StartRefusal
from tests.builders.blueprints import RESOURCE
from tests.builders.cluster import ATTEMPT, order, serving
from tests.builders.eventually import eventually
from tests.builders.kubernetes import KNOWN_AS, Driven
from tests.kubernetes.testbed.api import Refused, path_of
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, remove_nodes

OTHER = "0a1b2c3d4e5f6g7h-g1-a1"
NAME = "medley-0a1b2c3d4e5f6g7h"
OVER = (WorkerPhase.EXITED, WorkerPhase.LOST)


@pytest.fixture
def node(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    names = add_nodes(control_plane.api, [NodeShape(f"{namespace}-0", {RESOURCE: 8}, labels=KNOWN_AS)])
    yield names[0]
    remove_nodes(control_plane.api, names)


@pytest.fixture
def cluster(control_plane: ControlPlane, namespace: str, node: str, tmp_path: Path) -> Iterator[KubernetesCluster]:
    assert node
    made = Driven(control_plane.kubeconfig(), tmp_path / "data", settings={"namespace": namespace})
    yield made.cluster()
    made.close()


def replica(node: str, attempt: str) -> GangOrder:
    given = serving(order("wait", attempt=attempt), readiness_path=None)
    return replace(given, allocations=tuple(replace(one, node=f"test/{node}") for one in given.allocations))


def service(plane: ControlPlane, namespace: str) -> dict[str, Any] | None:
    try:
        return dict(plane.api.get(path_of("services", NAME, namespace=namespace)))
    except Refused:
        return None


def test_all_attempts_of_a_job_own_its_service_and_it_goes_with_the_last(
    control_plane: ControlPlane, namespace: str, node: str, cluster: KubernetesCluster
) -> None:
    for attempt in (ATTEMPT, OTHER):
        cluster.start(replica(node, attempt))
    found = service(control_plane, namespace)
    assert found is not None
    assert {owner["name"] for owner in found["metadata"]["ownerReferences"]} == {ATTEMPT, OTHER}

    def end(attempt: str) -> None:
        def is_over() -> bool:
            found = [one for one in cluster.observe() if one.key.attempt == attempt]
            return bool(found) and all(one.record.phase in OVER for one in found)

        cluster.stop(attempt, grace_s=1)
        eventually(is_over, within_s=90, what=f"{attempt} to end")
        cluster.forget(attempt)

    def owners() -> set[str]:
        found = service(control_plane, namespace)
        return set() if found is None else {owner["name"] for owner in found["metadata"]["ownerReferences"]}

    end(ATTEMPT)
    eventually(lambda: owners() == {OTHER}, within_s=90, what="the service is left to the other attempt")
    end(OTHER)
    eventually(lambda: service(control_plane, namespace) is None, within_s=90, what="the service is gone")


def test_a_strangers_service_of_that_name_is_left_alone(
    control_plane: ControlPlane, namespace: str, node: str, cluster: KubernetesCluster
) -> None:
    stranger = {"metadata": {"name": NAME}, "spec": {"ports": [{"port": 80}]}}
    control_plane.api.create(path_of("services", namespace=namespace), stranger)
    with pytest.raises(StartFailed, match="was not made by this Medley") as refused:
        cluster.start(replica(node, ATTEMPT))
    assert refused.value.refusal is StartRefusal.NAME_TAKEN
    found = service(control_plane, namespace)
    assert found is not None
    assert "ownerReferences" not in found["metadata"]
