"""The service of a server: one name for all replicas that are ready, for as long as the job has any attempt there."""

from typing import Any

from scheduler.adapters.kubernetes import identity
from scheduler.adapters.kubernetes.rendering.blueprint import Blueprint
from scheduler.adapters.kubernetes.rendering.holders import metadata, owner_reference
from scheduler.core.model.identifiers import JobId

SERVICE = "Service"
MERGE_CONTENT_TYPE = "application/strategic-merge-patch+json"
"""By which a list of owners grows by one; other kinds of patches replace it."""


def service_name(job: JobId) -> str:
    """Return the name of a job's service: it has to begin with a letter, and ids need not."""
    return f"medley-{job}"


def service(blueprint: Blueprint, owner_uid: str) -> dict[str, Any] | None:
    """Return the service of an attempt's job, owned by the attempt; None where the job is no server.

    It goes to `services_path`. Each further attempt is one more owner (`owner_patch`): Kubernetes removes it with the
    last of them.
    """
    serving = blueprint.order.job.spec.serving
    if serving is None:
        return None
    head = metadata(blueprint, SERVICE, service_name(blueprint.order.job.id))
    head["labels"] = {
        name: value
        for name, value in head["labels"].items()
        if name not in (identity.ATTEMPT_LABEL, identity.GENERATION_LABEL)
    }
    head["ownerReferences"] = [_one_of_several(blueprint, owner_uid)]
    selector = {name: head["labels"][name] for name in (identity.INSTANCE_LABEL, identity.JOB_LABEL)}
    return {
        "apiVersion": "v1",
        "kind": SERVICE,
        "metadata": head,
        "spec": {
            "selector": selector | {identity.RANK_LABEL: "0"},
            "ports": [{"name": "serving", "port": serving.port, "targetPort": serving.port, "protocol": "TCP"}],
        },
    }


def owner_patch(blueprint: Blueprint, owner_uid: str, service_uid: str) -> dict[str, Any]:
    """Return what makes an attempt one more owner of the service that is there."""
    return {"metadata": {"uid": service_uid, "ownerReferences": [_one_of_several(blueprint, owner_uid)]}}


def services_path(namespace: str) -> str:
    """Return where the services of a namespace are."""
    return f"/api/v1/namespaces/{namespace}/services"


def _one_of_several(blueprint: Blueprint, owner_uid: str) -> dict[str, Any]:
    """Return the reference to an owner beside others: only one of them may be a controller, and none has to be."""
    return {name: value for name, value in owner_reference(blueprint, owner_uid).items() if name != "controller"}
