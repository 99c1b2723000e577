"""Where the pods of a job find what its attempts keep for each other."""

import json

from scheduler.adapters.kubernetes.configuration.volumes import ClaimVolume, VolumeClass
from scheduler.adapters.kubernetes.rendering import owner_object, pod
from tests.builders.blueprints import blueprint
from tests.builders.cluster import order


def test_checkpoints_are_in_the_jobs_own_folder_of_the_volume_that_is_configured_for_them() -> None:
    classes = (VolumeClass("results", ClaimVolume("results"), tenants=("demo",)),)
    given = order("wait")
    with_place = blueprint(given, volume_classes=classes, checkpoints="results")
    spec = pod(with_place, 0, "uid")["spec"]

    assert {"name": "checkpoints", "persistentVolumeClaim": {"claimName": "results", "readOnly": False}} in spec[
        "volumes"
    ]
    mount = {"name": "checkpoints", "mountPath": "/medley/checkpoints", "subPath": f"medley/demo/{given.job.id}"}
    assert mount in spec["containers"][0]["volumeMounts"]
    document = json.loads(owner_object(with_place)["data"]["launch.json"])
    assert (document["version"], document["checkpoints"]["folder"]) == (3, "/medley/checkpoints")


def test_a_tenant_without_a_place_for_checkpoints_is_told_of_none() -> None:
    classes = (VolumeClass("results", ClaimVolume("results"), tenants=("vision",)),)
    without = blueprint(order("wait"), volume_classes=classes, checkpoints="results")

    assert "checkpoints" not in str(pod(without, 0, "uid"))
    assert "checkpoints" not in json.loads(owner_object(without)["data"]["launch.json"])
