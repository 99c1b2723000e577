"""Pods and nodes as large as those of real clusters: with managed fields, variables, volumes and images."""

import json
from collections.abc import Iterator
from typing import Any

SINCE = "2026-01-01T00:00:00Z"
TEAMS = 20
OURS_EVERY = 4
"""Every fourth pod carries Medley's labels; the others are other people's."""
IDENTIFIERS = ("machineID", "systemUUID", "bootID")
VERSIONS = (
    "kubeProxyVersion",
    "kernelVersion",
    "osImage",
    "containerRuntimeVersion",
    "kubeletVersion",
    "operatingSystem",
    "architecture",
)
STAMP = "bench/stamp"
STAMP_PLACE = "@stamp@"
"""Stands where the moment of sending is put in."""


def pod(number: int, version: int, nodes: int) -> dict[str, Any]:
    """Return a running pod of about 4 KB."""
    name, is_ours = f"training-{number:06}-r0", number % OURS_EVERY == 0
    labels = {"app": "training", "team": f"team-{number % TEAMS}", "pod-template-hash": f"{number:010x}"}
    if is_ours:
        labels |= {"medley/instance": "0123456789abcdef", "medley/job": f"{number:016x}", "medley/rank": "0"}
        labels |= {"medley/attempt": f"{number:016x}-g0-a1", "medley/generation": "1", "medley/tenant": "vision"}
    return {
        "metadata": {
            "name": name,
            "namespace": f"team-{number % TEAMS}",
            "uid": f"00000000-0000-4000-8000-{number:012}",
            "resourceVersion": str(version),
            "creationTimestamp": SINCE,
            "labels": labels,
            "annotations": {"medley/proof": "0" * 64, "example.com/notes": "n" * 80, STAMP: STAMP_PLACE},
            "ownerReferences": [_owner(name[:-3], number)],
            "managedFields": [_managed("kube-controller-manager", ""), _managed("kubelet", "status")],
        },
        "spec": {
            "containers": [_container()],
            "initContainers": [_container() | {"name": "prepare", "image": "registry.example/prepare:1"}],
            "volumes": [
                {"name": "launch", "configMap": {"name": name[:-3], "defaultMode": 420}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "datasets", "readOnly": True}},
                {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "16Gi"}},
                {"name": "scratch", "emptyDir": {"sizeLimit": "64Gi"}},
            ],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "nodeName": f"node-{number % nodes:05}",
            "schedulerName": "default-scheduler",
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "tolerations": [
                {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute"}
                for what in ("not-ready", "unreachable")
            ],
            "priority": 0,
            "preemptionPolicy": "PreemptLowerPriority",
        },
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": SINCE}
                for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "hostIP": "192.0.2.1",
            "podIP": "198.51.100.7",
            "podIPs": [{"ip": "198.51.100.7"}],
            "startTime": SINCE,
            "containerStatuses": [_container_status("worker", {"running": {"startedAt": SINCE}})],
            "initContainerStatuses": [
                _container_status(
                    "prepare", {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": SINCE}}
                )
            ],
            "qosClass": "Guaranteed",
        },
    }


def node(number: int, version: int) -> dict[str, Any]:
    """Return a ready node of about 5 KB with 8 devices."""
    name = f"node-{number:05}"
    amounts = {"cpu": "128", "memory": "1056461012Ki", "ephemeral-storage": "960Gi", "pods": "110"}
    amounts |= {"nvidia.com/gpu": "8", "hugepages-2Mi": "0"}
    pressures = ("MemoryPressure", "DiskPressure", "PIDPressure")
    return {
        "metadata": {
            "name": name,
            "uid": f"00000000-0000-4000-9000-{number:012}",
            "resourceVersion": str(version),
            "creationTimestamp": SINCE,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/zone": f"zone-{number % 4}",
                "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
                "nvidia.com/gpu.count": "8",
                "nvidia.com/gpu.memory": "81559",
            }
            | {f"feature.node.kubernetes.io/cpu-cpuid.{feature}": "true" for feature in range(20)},
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
            "managedFields": [_managed("kube-controller-manager", ""), _managed("kubelet", "status")],
        },
        "spec": {"podCIDR": "198.51.100.0/24", "providerID": f"example:///{name}"},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [
                {
                    "type": kind,
                    "status": "True" if kind == "Ready" else "False",
                    "lastHeartbeatTime": SINCE,
                    "lastTransitionTime": SINCE,
                    "reason": f"Kubelet{kind}",
                    "message": "kubelet says so",
                }
                for kind in (*pressures, "Ready")
            ],
            "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}, {"type": "Hostname", "address": name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {what: f"{what} 1.2.3" for what in (*IDENTIFIERS, *VERSIONS)},
            "images": [
                {"names": [f"registry.example/image-{image}:1", f"registry.example/image-{image}@sha256:{'0' * 64}"]}
                | {"sizeBytes": 10**9 + image}
                for image in range(10)
            ],
        },
    }


def lists(kind: str, items: list[dict[str, Any]], page: int) -> Iterator[bytes]:
    """Yield the pages of a list, each as the API server sends it; a page as long as the list gives one."""
    for start in range(0, max(len(items), 1), page):
        more = len(items) - start - page
        metadata: dict[str, Any] = {"resourceVersion": "1000000"}
        if more > 0:
            metadata |= {"continue": str(start // page + 1), "remainingItemCount": more}
        document = {"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items[start : start + page]}
        yield json.dumps(document, separators=(",", ":")).encode()


def _owner(name: str, number: int) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": f"{number:032x}", "controller": True}


def _managed(manager: str, subresource: str) -> dict[str, Any]:
    fields: dict[str, Any] = {f"f:field{number}": {".": {}, f"f:value{number}": {}} for number in range(12)}
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "v1",
        "time": SINCE,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:labels": fields}},
        "subresource": subresource,
    }


def _container() -> dict[str, Any]:
    amounts = {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "1"}
    return {
        "name": "worker",
        "image": "registry.example/training:1",
        "command": ["python3", "-m", "medley_runtime"],
        "env": [{"name": f"VARIABLE_{number}", "value": f"value {number}"} for number in range(12)],
        "resources": {"limits": amounts, "requests": amounts},
        "volumeMounts": [
            {"name": "launch", "mountPath": "/etc/medley/gang", "readOnly": True},
            {"name": "data", "mountPath": "/data", "readOnly": True},
            {"name": "memory", "mountPath": "/dev/shm"},
        ],
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _container_status(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "state": state,
        "lastState": {},
        "ready": True,
        "restartCount": 0,
        "image": "registry.example/training:1",
        "imageID": f"registry.example/training@sha256:{'0' * 64}",
        "containerID": f"containerd://{'0' * 64}",
    }
