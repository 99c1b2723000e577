"""The owner of an attempt, and what the attempt's pods read: the launch document and the token."""

import base64
from typing import Any

from scheduler.adapters.kubernetes import identity
from scheduler.adapters.kubernetes.launch import DOCUMENT, LARGEST_DOCUMENT_BYTES, TOKEN, gang_document
from scheduler.adapters.kubernetes.rendering.blueprint import Blueprint
from scheduler.adapters.kubernetes.rendering.checks import CHECKPOINT_FOLDER, SERVED_FOLDER, check_job, check_names
from scheduler.ports.cluster import StartFailed, StartRefusal

CONFIG_MAP = "ConfigMap"
SECRET = "Secret"  # noqa: S105 - a kind


def owner_object(blueprint: Blueprint) -> dict[str, Any]:
    """Return the object that owns all others of the attempt; a ConfigMap holds the launch document itself.

    It goes to `configuration.owner.path(namespace)`, before all others. Raises StartFailed where anything of the
    attempt is not what it has to be.
    """
    check_job(blueprint.order.job, blueprint.configuration)
    for rank in range(len(blueprint.order.allocations)):
        check_names(blueprint, rank)
    owner = blueprint.configuration.owner
    head = {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "metadata": metadata(blueprint, owner.kind, blueprint.order.attempt),
    }
    return head | _document(blueprint) if owner.is_config_map else head


def owned_objects(blueprint: Blueprint, owner_uid: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what else is there before the pods, each with the path that it is posted to; the token is among it.

    The pods of a later generation have a document and a token of their own.
    """
    name = blueprint.told_by
    secret = {
        "apiVersion": "v1",
        "kind": SECRET,
        "metadata": metadata(blueprint, SECRET, name, owner_uid=owner_uid),
        "type": "Opaque",
        "immutable": True,
        "data": {TOKEN: base64.b64encode(blueprint.order.token.encode()).decode()},
    }
    objects = [(f"/api/v1/namespaces/{blueprint.namespace}/secrets", secret)]
    if name != blueprint.order.attempt or not blueprint.configuration.owner.is_config_map:
        head = {
            "apiVersion": "v1",
            "kind": CONFIG_MAP,
            "metadata": metadata(blueprint, CONFIG_MAP, name, owner_uid=owner_uid),
        }
        path = f"/api/v1/namespaces/{blueprint.namespace}/configmaps"
        objects.append((path, head | _document(blueprint)))
    return objects


def metadata(blueprint: Blueprint, kind: str, name: str, *, owner_uid: str | None = None) -> dict[str, Any]:
    """Return the metadata of an object of the attempt. Nothing of it is the tenant's own text but the tenant's name."""
    order = blueprint.order
    document: dict[str, Any] = {
        "name": name,
        "namespace": blueprint.namespace,
        "labels": {
            identity.INSTANCE_LABEL: blueprint.identity.instance,
            identity.JOB_LABEL: order.job.id,
            identity.ATTEMPT_LABEL: order.attempt,
            identity.GENERATION_LABEL: str(order.generation),
            identity.TENANT_LABEL: order.job.tenant,
        },
        "annotations": {identity.PROOF_ANNOTATION: blueprint.identity.proof(blueprint.namespace, kind, name)},
    }
    if owner_uid is not None:
        document["ownerReferences"] = [owner_reference(blueprint, owner_uid)]
    return document


def owner_reference(blueprint: Blueprint, owner_uid: str) -> dict[str, Any]:
    """Return the reference that lets the owner's end be theirs.

    A controller: without one, `kubectl drain` refuses a pod and cleaners take it for forgotten. Blocking the owner's
    deletion would need a permission more.
    """
    owner = blueprint.configuration.owner
    return {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": blueprint.order.attempt,
        "uid": owner_uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def _document(blueprint: Blueprint) -> dict[str, Any]:
    configuration = blueprint.configuration
    has_place = configuration.checkpoint_class(blueprint.order.job.tenant) is not None
    text = gang_document(
        blueprint.order,
        devices_are_simulated=configuration.devices_are_simulated,
        checkpoints=CHECKPOINT_FOLDER if has_place else None,
        served=SERVED_FOLDER if has_place else None,
    )
    size_bytes = len(text.encode())
    if size_bytes > LARGEST_DOCUMENT_BYTES:
        what = f"the gang's launch document has {size_bytes:,} bytes, and Kubernetes keeps {LARGEST_DOCUMENT_BYTES:,}"
        raise StartFailed(f"{what}; shorten the command or make the gang smaller", StartRefusal.INVALID)
    return {"immutable": True, "data": {DOCUMENT: text}}
