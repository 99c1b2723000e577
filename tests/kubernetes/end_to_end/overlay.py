"""The overlay by which the test bed installs Medley: deploy/overlays/dev and what that node lacks, nothing else.

The node has no pod network, no kube-proxy and no StorageClass, and its devices are only numbers. So Medley and its
workers share the machine's network, Medley is told where the API server is, a volume lies ready for its claim, and
workers compute on the CPU.
"""

import os
from pathlib import Path

import yaml

from tests.kubernetes.end_to_end.real_node import NAME
from tests.kubernetes.manifests import DEV

ENFORCE = "pod-security.kubernetes.io/enforce"
POOL = {"labels": {"kubernetes.io/hostname": NAME}, "host_network": True}


def write_overlay(folder: Path, *, api_server_port: int, storage: Path) -> Path:
    """Write the overlay into a folder, its volume in `storage` on the node, and return the folder."""
    folder.mkdir()
    clusters = yaml.safe_load((DEV / "clusters.yaml").read_text())
    (cluster,) = clusters["clusters"]
    cluster |= {"devices_are_simulated": True, "pools": {"test-bed": POOL}}
    (folder / "clusters.yaml").write_text(yaml.safe_dump(clusters))
    (folder / "volume.yaml").write_text(yaml.safe_dump(_volume(storage)))
    generator = {"name": "medley-clusters", "namespace": "medley", "behavior": "replace", "files": ["clusters.yaml"]}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(DEV.resolve(), folder.resolve()), "volume.yaml"],
        "configMapGenerator": [generator],
        "patches": [
            {"target": {"kind": "Namespace"}, "patch": yaml.safe_dump(_UNRESTRICTED)},
            {"target": {"kind": "Deployment"}, "patch": yaml.safe_dump(_deployment(api_server_port))},
        ],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return folder


_UNRESTRICTED = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "any", "labels": {ENFORCE: "privileged"}},
}


def _deployment(api_server_port: int) -> dict[str, object]:
    """Return the patch: in a pod the API server is found by these two variables."""
    address = [
        {"name": "KUBERNETES_SERVICE_HOST", "value": "127.0.0.1"},
        {"name": "KUBERNETES_SERVICE_PORT", "value": str(api_server_port)},
    ]
    pod = {"hostNetwork": True, "containers": [{"name": "medley", "env": address}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "medley"},
        "spec": {"template": {"spec": pod}},
    }


def _volume(storage: Path) -> dict[str, object]:
    """Return a volume that is on the one real node, so that Medley's pod is put there."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "medley-data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "20Gi"},
            "claimRef": {"namespace": "medley", "name": "medley-data"},
            "hostPath": {"path": str(storage), "type": "Directory"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "persistentVolumeReclaimPolicy": "Retain",
        },
    }
