"""docs/kubernetes.md and docs/deploying.md as an operator follows them at a real control plane."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.guide import Reader
from tests.builders.server import ServerProcess
from tests.kubernetes.manifests import DEPLOY, DEV, kubectl
from tests.kubernetes.testbed.control_plane import ControlPlane
from tests.kubernetes.testbed.nodes import NodeShape, add_nodes, remove_nodes

CLUSTERS = """
clusters:
  - name: kubernetes
    kubeconfig: {kubeconfig}
    namespace: medley-jobs
    devices_are_simulated: true
"""
NODE = "guided"


@pytest.fixture
def installed(control_plane: ControlPlane, tmp_path: Path) -> Iterator[ServerProcess]:
    """A Medley beside the cluster that may do there what the manifests let it do, and no more."""
    kubeconfig = control_plane.kubeconfig()
    nodes = add_nodes(control_plane.api, [NodeShape(NODE, {"nvidia.com/gpu": 8})])
    kubectl("apply", "-k", str(DEV), kubeconfig=kubeconfig)
    account = control_plane.kubeconfig_of_account("medley", "medley")
    clusters = tmp_path / "clusters.yaml"
    clusters.write_text(CLUSTERS.format(kubeconfig=account))
    server = ServerProcess(tmp_path / "data", None, clusters=clusters)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        kubectl("delete", "-k", str(DEV), "--ignore-not-found", kubeconfig=kubeconfig)
        kubectl("delete", "namespace", "vision-jobs", "--ignore-not-found", kubeconfig=kubeconfig)
        remove_nodes(control_plane.api, nodes)


def test_every_command_of_the_guides_works_as_written(
    control_plane: ControlPlane, installed: ServerProcess, tmp_path: Path
) -> None:
    reader = Reader(
        tmp_path / "reader",
        address=installed.address,
        data_folder=installed.data_folder,
        environment={"KUBECONFIG": str(control_plane.kubeconfig())},
    )
    shutil.copytree(DEPLOY, reader.folder / "deploy")
    reader.run("medley login http://127.0.0.1:8080 --token - < .medley/operator.token")
    reader.follow("docs/kubernetes.md", standing_for={"NODE": NODE})
    seen = reader.follow("docs/deploying.md", standing_for={"NODE": NODE})
    for words in (
        f"kubernetes/{NODE}",
        "rolebinding.rbac.authorization.k8s.io/medley created",
        "configmap/medley-clusters-",
        'namespace "medley-jobs" deleted',
    ):
        assert words in seen, seen
