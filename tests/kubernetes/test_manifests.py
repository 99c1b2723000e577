"""deploy/: every kustomization builds, grants what the driver needs and nothing else, and a strict cluster takes it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.kubernetes.configuration.clusters_file import read_clusters
from scheduler.adapters.kubernetes.driving.check import PERMISSIONS
from tests.kubernetes.end_to_end.overlay import write_overlay
from tests.kubernetes.manifests import DEPLOY, DEV, Document, build, by_name, kubectl, paths
from tests.kubernetes.testbed.api import path_of
from tests.kubernetes.testbed.control_plane import ControlPlane

Grant = tuple[str, str, str, bool]
"""API group, resource, verb, whether in the whole cluster."""


@pytest.fixture
def dev(control_plane: ControlPlane) -> dict[str, Document]:
    """The objects of deploy/overlays/dev. Needs no cluster, but stands and falls with kubectl as the others do."""
    return by_name(build(DEV))


def grants(documents: dict[str, Document]) -> Iterator[Grant]:
    for document in documents.values():
        for rule in document.get("rules", ()) if document["kind"] in ("Role", "ClusterRole") else ():
            assert rule.keys() == {"apiGroups", "resources", "verbs"}
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    yield from ((group, resource, verb, document["kind"] == "ClusterRole") for verb in rule["verbs"])


def test_every_kustomization_builds(control_plane: ControlPlane) -> None:
    folders = [path.parent for path in sorted(DEPLOY.rglob("kustomization.yaml"))]
    buildable = [folder for folder in folders if folder.parent.name != "components"]
    assert {folder.name for folder in buildable} >= {"base", "jobs", "dev"}
    for folder in buildable:
        assert by_name(build(folder)), folder


def test_the_account_may_do_exactly_what_the_driver_does(dev: dict[str, Document]) -> None:
    granted = list(grants(dev))
    wanted = {(one.group, one.resource, verb, one.is_cluster_wide) for one in PERMISSIONS for verb in one.verbs}
    assert len(granted) == len(set(granted)), "something is granted twice"
    assert set(granted) == wanted


def test_no_secret_is_read_nothing_is_bound_and_no_rule_has_a_wildcard(dev: dict[str, Document]) -> None:
    for group, resource, verb, _ in grants(dev):
        assert "*" not in (group, resource, verb)
        assert resource != "secrets" or verb == "create"
        assert resource not in ("pods/binding", "bindings", "roles", "rolebindings", "namespaces")


def test_only_medleys_account_gets_the_roles(dev: dict[str, Document]) -> None:
    bindings = [document for document in dev.values() if document["kind"].endswith("RoleBinding")]
    assert [(one["kind"], one["metadata"].get("namespace")) for one in bindings] == [
        ("RoleBinding", "medley-jobs"),
        ("ClusterRoleBinding", None),
    ]
    for binding in bindings:
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "medley", "namespace": "medley"}]


def test_the_component_grants_one_more_namespace_the_same(dev: dict[str, Document], tmp_path: Path) -> None:
    component = os.path.relpath(DEPLOY / "components" / "tenant-namespace", tmp_path.resolve())
    kustomization = {"namespace": "vision-jobs", "components": [component]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    granted = by_name(build(tmp_path))
    assert sorted(granted) == ["Role/vision-jobs/medley", "RoleBinding/vision-jobs/medley"]
    assert granted["Role/vision-jobs/medley"]["rules"] == dev["Role/medley-jobs/medley"]["rules"]
    subjects = granted["RoleBinding/vision-jobs/medley"]["subjects"]
    assert subjects == dev["RoleBinding/medley-jobs/medley"]["subjects"]


@pytest.mark.parametrize("folder", ["base", "overlays/dev"])
def test_the_shipped_clusters_file_is_valid(folder: str) -> None:
    (cluster,) = read_clusters(DEPLOY / folder / "clusters.yaml", shipped_catalogue())
    assert cluster.namespaces == ("medley-jobs",)
    assert not cluster.devices_are_simulated


def test_a_server_takes_dev_where_pod_security_is_restricted(
    control_plane: ControlPlane, dev: dict[str, Document]
) -> None:
    try:
        for name in ("medley", "medley-jobs"):
            labels = dev[f"Namespace//{name}"]["metadata"]["labels"]
            assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
            control_plane.make_namespace(name, labels)
        said = kubectl("apply", "--dry-run=server", "-k", str(DEV), kubeconfig=control_plane.kubeconfig())
        assert said.stdout.count("(server dry run)") == len(dev)
        assert [line for line in said.stderr.splitlines() if "last-applied-configuration" not in line] == []
        template = dev["Deployment/medley/medley"]["spec"]["template"]
        account = {"metadata": {"name": "medley"}}
        control_plane.api.create(path_of("serviceaccounts", namespace="medley"), account)
        pod = {"metadata": {"name": "medley"}, "spec": template["spec"]}
        control_plane.api.call("POST", path_of("pods", namespace="medley"), pod, query={"dryRun": "All"})
    finally:
        for name in ("medley", "medley-jobs"):
            control_plane.remove_namespace(name)


def test_the_overlay_of_the_tests_adds_only_what_the_test_beds_node_lacks(
    dev: dict[str, Document], tmp_path: Path
) -> None:
    folder = write_overlay(tmp_path / "overlay", api_server_port=6443, storage=Path("/storage"))
    ours = by_name(build(folder))
    assert ours.keys() - dev.keys() == {"PersistentVolume//medley-data"}
    assert dev.keys() - ours.keys() == set()
    changed = {name: differences(dev[name], ours[name]) for name in dev if dev[name] != ours[name]}
    generated = ours["ConfigMap/medley/medley-clusters"]["metadata"]["name"]
    pod, container = "/spec/template/spec", "/spec/template/spec/containers/medley"
    assert changed == {
        "Namespace//medley": {"/metadata/labels/pod-security.kubernetes.io/enforce": "privileged"},
        "Namespace//medley-jobs": {"/metadata/labels/pod-security.kubernetes.io/enforce": "privileged"},
        "ConfigMap/medley/medley-clusters": {
            "/metadata/name": generated,
            "/data/clusters.yaml/clusters/kubernetes/devices_are_simulated": True,
            "/data/clusters.yaml/clusters/kubernetes/pools/test-bed/host_network": True,
            "/data/clusters.yaml/clusters/kubernetes/pools/test-bed/labels/kubernetes.io/hostname": "localhost",
        },
        "Deployment/medley/medley": {
            f"{pod}/hostNetwork": True,
            f"{container}/env/KUBERNETES_SERVICE_HOST/name": "KUBERNETES_SERVICE_HOST",
            f"{container}/env/KUBERNETES_SERVICE_HOST/value": "127.0.0.1",
            f"{container}/env/KUBERNETES_SERVICE_PORT/name": "KUBERNETES_SERVICE_PORT",
            f"{container}/env/KUBERNETES_SERVICE_PORT/value": "6443",
            f"{pod}/volumes/clusters/configMap/name": generated,
        },
    }


def differences(before: Document, after: Document) -> dict[str, Any]:
    """Return the leaves that are other or new, None where they are gone; the clusters' file is looked into."""
    old, new = paths(_opened(before)), paths(_opened(after))
    return {path: new.get(path) for path in old.keys() | new.keys() if old.get(path, "") != new.get(path, "")}


def _opened(document: Document) -> Document:
    if document["kind"] != "ConfigMap":
        return document
    return document | {"data": {name: yaml.safe_load(text) for name, text in document["data"].items()}}
