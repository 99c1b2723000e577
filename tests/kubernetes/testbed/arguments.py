"""The command lines of the control plane's programs."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.kubernetes.testbed.certificates import Pair

CONTROLLERS = (
    "deployment",
    "disruption",
    "endpoints",
    "endpointslice",
    "garbage-collector",
    "job",
    "namespace",
    "node-lifecycle",
    "persistentvolume-binder",
    "persistentvolume-protection",
    "persistentvolumeclaim-protection",
    "pod-garbage-collector",
    "replicaset",
    "resourceclaim",
    "resourcequota",
    "root-ca-certificate-publisher",
    "serviceaccount",
    "statefulset",
    "taint-eviction",
    "ttl-after-finished",
)
CALLS_PER_SECOND = 500
BURST = 1000
"""More than the defaults, so that a test measures Medley and not the patience of the controllers."""


def store(data: Path, port: int, peer_port: int) -> list[str]:
    """Return etcd's."""
    url, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    return [
        "--name=testbed",
        f"--data-dir={data}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=testbed={peer}",
        "--log-level=warn",
    ]


def api_server(
    *, store_port: int, port: int, authority: Path, serving: Pair, accounts: Pair, kubelet_client: Pair
) -> list[str]:
    """Return the API server's. Nodes are reached by their host name, or by their address where they give none."""
    return [
        f"--etcd-servers=http://127.0.0.1:{store_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={authority}",
        "--endpoint-reconciler-type=none",
        "--authorization-mode=RBAC,Node",
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={accounts.certificate}",
        f"--service-account-signing-key-file={accounts.key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--kubelet-preferred-address-types=Hostname,InternalIP",
        f"--kubelet-client-certificate={kubelet_client.certificate}",
        f"--kubelet-client-key={kubelet_client.key}",
        "--profiling=false",
    ]


def controllers(kubeconfig: Path, account_key: Path, authority: Path, *, node_grace_s: int) -> list[str]:
    """Return the controller manager's."""
    return [
        f"--kubeconfig={kubeconfig}",
        "--secure-port=0",
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={account_key}",
        f"--root-ca-file={authority}",
        f"--controllers={','.join(f'{name}-controller' for name in CONTROLLERS)}",
        f"--node-monitor-grace-period={node_grace_s}s",
        "--node-monitor-period=1s",
        f"--kube-api-qps={CALLS_PER_SECOND}",
        f"--kube-api-burst={BURST}",
        "--profiling=false",
    ]


def scheduler_settings(folder: Path, kubeconfig: Path) -> Path:
    """Write the scheduler's configuration and return its file."""
    path = folder / "scheduler.yaml"
    document = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": CALLS_PER_SECOND, "burst": BURST},
    }
    path.write_text(yaml.safe_dump(document))
    return path


def kwok(kubeconfig: Path, stages: Sequence[Path]) -> list[str]:
    """Return KWOK's: it plays the nodes that have the annotation `kwok.x-k8s.io/node: fake`."""
    return [
        f"--kubeconfig={kubeconfig}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        "--node-lease-duration-seconds=40",
        *[f"--config={stage}" for stage in stages],
    ]
