"""Where a pod's files are: what Medley tells it, room to write, shared memory, and the volumes of the job."""

from typing import Any

from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate
from scheduler.adapters.kubernetes.configuration.volumes import ClaimVolume, NfsVolume, VolumeClass
from scheduler.adapters.kubernetes.launch import DOCUMENT, DOCUMENT_FOLDER, TOKEN, TOKEN_FOLDER
from scheduler.adapters.kubernetes.rendering.blueprint import Blueprint
from scheduler.adapters.kubernetes.rendering.checks import (
    CHECKPOINT_FOLDER,
    HOME,
    RUNTIME_FOLDER,
    SERVED_FOLDER,
    SHARED_MEMORY,
    TEMPORARY,
    image_of,
)

READABLE_BY_ALL = 0o444
READABLE_BY_GROUP = 0o440

_MIB = "Mi"


def needs_runtime(blueprint: Blueprint) -> bool:
    """Say whether the job's own image has to be given the runtime."""
    return image_of(blueprint.order.job, blueprint.configuration) != blueprint.configuration.runtime_image


def volumes(blueprint: Blueprint, template: PoolTemplate) -> list[dict[str, Any]]:
    """Return the volumes of a pod."""
    name, scratch_mib = blueprint.told_by, blueprint.configuration.scratch_mib
    document = {"name": name, "defaultMode": READABLE_BY_ALL, "items": [{"key": DOCUMENT, "path": DOCUMENT}]}
    token = {"secretName": name, "defaultMode": READABLE_BY_GROUP, "items": [{"key": TOKEN, "path": TOKEN}]}
    found: list[dict[str, Any]] = [
        {"name": "gang", "configMap": document},
        {"name": "token", "secret": token},
        {"name": "temporary", "emptyDir": {"sizeLimit": f"{scratch_mib}{_MIB}"}},
        {"name": "home", "emptyDir": {"sizeLimit": f"{scratch_mib}{_MIB}"}},
    ]
    if shared_mib := shared_memory_mib(blueprint, template):
        found.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": f"{shared_mib}{_MIB}"}})
    if needs_runtime(blueprint):
        found.append({"name": "runtime", "emptyDir": {"sizeLimit": f"64{_MIB}"}})
    if (checkpoints := _checkpoint_class(blueprint)) is not None:
        found.append({"name": "checkpoints"} | _source(checkpoints))
    return found + [
        {"name": f"volume-{index}"} | _source(volume_class) for index, volume_class in enumerate(_wanted(blueprint))
    ]


def worker_mounts(blueprint: Blueprint, template: PoolTemplate) -> list[dict[str, Any]]:
    """Return where the worker sees them."""
    found: list[dict[str, Any]] = [
        {"name": "gang", "mountPath": DOCUMENT_FOLDER, "readOnly": True},
        {"name": "token", "mountPath": TOKEN_FOLDER, "readOnly": True},
        {"name": "temporary", "mountPath": TEMPORARY},
        {"name": "home", "mountPath": HOME},
    ]
    if shared_memory_mib(blueprint, template):
        found.append({"name": "shared-memory", "mountPath": SHARED_MEMORY})
    if needs_runtime(blueprint):
        found.append({"name": "runtime", "mountPath": RUNTIME_FOLDER, "readOnly": True})
    if _checkpoint_class(blueprint) is not None:
        path = checkpoint_path(blueprint)
        found.append({"name": "checkpoints", "mountPath": CHECKPOINT_FOLDER, "subPath": path})
        if (training := blueprint.order.job.spec.serves_training) is not None:
            path = f"medley/{blueprint.order.job.tenant}/{training}"
            served = {"name": "checkpoints", "mountPath": SERVED_FOLDER, "subPath": path, "readOnly": True}
            found.append(served)
    job = blueprint.order.job.spec
    return found + [
        {
            "name": f"volume-{index}",
            "mountPath": volume.path,
            "readOnly": volume.is_read_only or volume_class.is_read_only,
        }
        for index, (volume_class, volume) in enumerate(zip(_wanted(blueprint), job.volumes, strict=True))
    ]


def checkpoint_path(blueprint: Blueprint) -> str:
    """Return where in the volume of its class a job's checkpoints are: no pod sees more of it than its own job's.

    A server sees, and cannot change, those of the training that it serves; the API has seen that it is its tenant's.
    """
    job = blueprint.order.job
    return f"medley/{job.tenant}/{job.id}"


def shared_memory_mib(blueprint: Blueprint, template: PoolTemplate) -> int:
    """Return the size of /dev/shm; 0 where the container runtime decides."""
    return blueprint.order.job.spec.shared_memory_mib or template.shared_memory_mib


def _checkpoint_class(blueprint: Blueprint) -> VolumeClass | None:
    return blueprint.configuration.checkpoint_class(blueprint.order.job.tenant)


def _wanted(blueprint: Blueprint) -> list[VolumeClass]:
    """Return the classes of the job's volumes; `check_job` has seen that the tenant may use them."""
    job = blueprint.order.job
    found = (blueprint.configuration.volume_class(volume.volume_class, job.tenant) for volume in job.spec.volumes)
    return [volume_class for volume_class in found if volume_class is not None]


def _source(volume_class: VolumeClass) -> dict[str, Any]:
    source, is_read_only = volume_class.source, volume_class.is_read_only
    if isinstance(source, ClaimVolume):
        return {"persistentVolumeClaim": {"claimName": source.claim, "readOnly": is_read_only}}
    if isinstance(source, NfsVolume):
        return {"nfs": {"server": source.server, "path": source.path, "readOnly": is_read_only}}
    medium = {"medium": "Memory"} if source.is_in_memory else {}
    return {"emptyDir": {"sizeLimit": f"{source.size_mib}{_MIB}"} | medium}
