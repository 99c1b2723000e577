"""Letting a gated pod go to its node: from here on the cluster's scheduler binds it."""

from typing import Any

from scheduler.adapters.kubernetes.identity import GATE

RELEASE_CONTENT_TYPE = "application/strategic-merge-patch+json"


def release_patch(node: str, uid: str) -> dict[str, Any]:
    """Return the patch that pins a pod to a node by its name and opens its gate, both at once; it may be repeated.

    Where the pod of this name is not the one with this UID, the API answers 422, `metadata.uid: ... is immutable`.
    The name is matched, not a label: labels of nodes change, and a kubelet that restarts then refuses what it ran.
    """
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    return {
        "metadata": {"uid": uid},
        "spec": {"affinity": affinity, "schedulingGates": [{"$patch": "delete", "name": GATE}]},
    }
