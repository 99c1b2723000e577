"""The pod of one rank, hardened as restricted Pod Security asks, but for what its pool's template adds."""

from typing import Any

from scheduler.adapters.kubernetes import identity
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate
from scheduler.adapters.kubernetes.rendering.blueprint import Blueprint
from scheduler.adapters.kubernetes.rendering.checks import check_job, check_names
from scheduler.adapters.kubernetes.rendering.containers import init_containers, worker_container
from scheduler.adapters.kubernetes.rendering.holders import metadata
from scheduler.adapters.kubernetes.rendering.mounts import volumes
from scheduler.core.model.identifiers import worker_name

SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
TRACEPARENT = "traceparent"
"""Where tools that trace pods look for the trace that a pod belongs to."""
LEAST_GRACE_S = 1
"""Without any, the API forgets a pod at once, while it still works on its devices."""


def pod(blueprint: Blueprint, rank: int, owner_uid: str) -> dict[str, Any]:
    """Return a rank's pod: gated, and without a node, which `release_patch` names.

    Raises StartFailed where anything in it is not what it has to be.
    """
    check_job(blueprint.order.job, blueprint.configuration)
    check_names(blueprint, rank)
    number = blueprint.order.allocations[rank].worker
    document = metadata(blueprint, identity.POD, worker_name(blueprint.order.attempt, number), owner_uid=owner_uid)
    template = blueprint.pool(rank)
    document["labels"][identity.RANK_LABEL] = str(number)
    serving = blueprint.order.job.spec.serving
    if serving is not None and rank == 0:
        document["labels"][identity.PORT_LABEL] = str(serving.port)
    document["annotations"] = dict(template.annotations) | {SAFE_TO_EVICT: "false"} | document["annotations"]
    if blueprint.order.job.traceparent is not None:
        document["annotations"][TRACEPARENT] = blueprint.order.job.traceparent
    return {"apiVersion": "v1", "kind": identity.POD, "metadata": document, "spec": _spec(blueprint, rank, template)}


def _spec(blueprint: Blueprint, rank: int, template: PoolTemplate) -> dict[str, Any]:
    """Return the specification.

    The containers share a process namespace so that the worker is not its first process: to that one, a SIGTERM that
    the program does not handle means nothing, and each stop would take all of its grace.
    """
    configuration, job = blueprint.configuration, blueprint.order.job.spec
    spec: dict[str, Any] = {
        "schedulingGates": [{"name": identity.GATE}],
        "schedulerName": configuration.scheduler_name,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": max(LEAST_GRACE_S, job.grace_s),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": True,
        "securityContext": _security(template),
        "tolerations": _tolerations(blueprint, rank),
        "containers": [worker_container(blueprint, rank, template)],
        "volumes": volumes(blueprint, template),
    }
    if prepared := init_containers(blueprint, rank, template):
        spec["initContainers"] = prepared
    if job.time_limit_s is not None:
        spec["activeDeadlineSeconds"] = job.time_limit_s
    if configuration.priority_class is not None:
        spec["priorityClassName"] = configuration.priority_class
    if configuration.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in configuration.image_pull_secrets]
    if template.runtime_class is not None:
        spec["runtimeClassName"] = template.runtime_class
    if template.has_host_network:
        spec |= {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
    return spec


def _security(template: PoolTemplate) -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": template.run_as_user,
        "runAsGroup": template.run_as_group,
        "fsGroup": template.fs_group,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _tolerations(blueprint: Blueprint, rank: int) -> list[dict[str, Any]]:
    """Return the tolerations; with none of its own for a lost node, a pod would get five minutes there."""
    wanted: list[dict[str, Any]] = [
        {
            "key": f"node.kubernetes.io/{trouble}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": blueprint.configuration.node_loss_tolerated_s,
        }
        for trouble in ("not-ready", "unreachable")
    ]
    for toleration in blueprint.tolerations(rank):
        one: dict[str, Any] = {"key": toleration.key, "operator": "Exists" if toleration.value is None else "Equal"}
        if toleration.value is not None:
            one["value"] = toleration.value
        if toleration.effect is not None:
            one["effect"] = toleration.effect
        wanted.append(one)
    return wanted
