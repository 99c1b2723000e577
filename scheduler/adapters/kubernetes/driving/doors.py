"""Making the service of a server, and having it stay for as long as one of the job's attempts does."""

from scheduler.adapters.kubernetes.driving.scene import Scene
from scheduler.adapters.kubernetes.identity import PROOF_ANNOTATION
from scheduler.adapters.kubernetes.rendering.blueprint import Blueprint
from scheduler.adapters.kubernetes.rendering.services import (
    MERGE_CONTENT_TYPE,
    SERVICE,
    owner_patch,
    service,
    services_path,
)
from scheduler.ports.cluster import ClusterUnavailable, StartFailed, StartRefusal


def open_door(scene: Scene, blueprint: Blueprint, owner_uid: str, until_s: float) -> None:
    """Have the attempt among the owners of its job's service; without effect for a training.

    Raises StartFailed (somebody else's service has the name, or the API will not have it), ClusterUnavailable.
    """
    document = service(blueprint, owner_uid)
    if document is None:
        return
    path, name = services_path(blueprint.namespace), document["metadata"]["name"]
    what = f"{SERVICE} {blueprint.namespace}/{name}"
    if scene.writing.create(path, document, what=what, until_s=until_s) is not None:
        return
    present = scene.writing.read(f"{path}/{name}", is_metadata_only=True, until_s=until_s)
    if present is not None:
        found = present["metadata"]
        proof = (found.get("annotations") or {}).get(PROOF_ANNOTATION, "")
        if not scene.identity.is_proven(proof, blueprint.namespace, SERVICE, name):
            why = f"{what} exists and was not made by this Medley; let its owner remove it"
            raise StartFailed(why, StartRefusal.NAME_TAKEN)
        patch = owner_patch(blueprint, owner_uid, found["uid"])
        is_going = "deletionTimestamp" in found
        if not is_going and scene.writing.patch(
            f"{path}/{name}", patch, MERGE_CONTENT_TYPE, what=what, until_s=until_s
        ):
            return
    raise ClusterUnavailable(f"{what} of earlier attempts is being removed; it is made anew with the next try")
