"""Servers as Kubernetes is told of them: ports, probes, a service, and the checkpoints of a training."""

import json

import pytest

from scheduler.adapters.kubernetes import identity
from scheduler.adapters.kubernetes.configuration.volumes import ClaimVolume, VolumeClass
from scheduler.adapters.kubernetes.rendering import owner_object, pod
from scheduler.adapters.kubernetes.rendering.checks import objection
from scheduler.adapters.kubernetes.rendering.services import owner_patch, service
from scheduler.core.model.job import ReferenceServing
from tests.builders.blueprints import blueprint, configuration, with_spec
from tests.builders.cluster import order, serving

TRAINING = "0a1b2c3d4e5f6g7z"
CLASSES = (VolumeClass("results", ClaimVolume("results"), tenants=("demo",)),)


def test_the_kubelet_asks_rank_0_alone_whether_it_is_ready() -> None:
    given = blueprint(serving(order("wait", workers=2), port=9000, readiness_path="/health"))
    first, second = (pod(given, rank, "uid") for rank in (0, 1))
    container = first["spec"]["containers"][0]
    assert container["ports"] == [{"name": "serving", "containerPort": 9000, "protocol": "TCP"}]
    assert container["readinessProbe"]["httpGet"] == {"path": "/health", "port": 9000, "scheme": "HTTP"}
    assert container["readinessProbe"]["timeoutSeconds"] == 1
    assert first["metadata"]["labels"][identity.PORT_LABEL] == "9000"
    assert not {"ports", "readinessProbe"} & second["spec"]["containers"][0].keys()
    assert identity.PORT_LABEL not in second["metadata"]["labels"]


def test_a_server_without_a_path_is_not_asked_and_a_training_has_no_port() -> None:
    silent = pod(blueprint(serving(order("wait"), readiness_path=None)), 0, "uid")
    assert "readinessProbe" not in silent["spec"]["containers"][0]
    assert "ports" in silent["spec"]["containers"][0]
    training = pod(blueprint(order("wait")), 0, "uid")
    assert "ports" not in training["spec"]["containers"][0]
    assert service(blueprint(order("wait")), "uid") is None


def test_rank_0_is_told_to_listen_on_all_addresses_of_its_pod() -> None:
    document = json.loads(owner_object(blueprint(serving(order("wait", workers=2), port=9000)))["data"]["launch.json"])
    want = {"host": "0.0.0.0", "port": 9000, "readiness_path": "/ready"}
    assert (document["version"], document["checkpoints"]) == (4, None)
    assert document["ranks"][0]["serving"] == want
    assert "serving" not in document["ranks"][1]


def test_a_service_names_all_replicas_of_its_job_and_is_owned_by_their_attempts() -> None:
    given = blueprint(serving(order("wait"), port=9000))
    made = service(given, "uid-1")
    assert made is not None
    job = given.order.job.id
    assert made["metadata"]["name"] == f"medley-{job}"
    assert made["spec"]["selector"] == {
        identity.INSTANCE_LABEL: given.identity.instance,
        identity.JOB_LABEL: job,
        identity.RANK_LABEL: "0",
    }
    assert made["spec"]["selector"].items() <= pod(given, 0, "uid-1")["metadata"]["labels"].items()
    assert made["spec"]["ports"][0]["port"] == 9000
    assert identity.ATTEMPT_LABEL not in made["metadata"]["labels"]
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["uid"], "controller" in owner) == ("uid-1", False)
    (more,) = owner_patch(given, "uid-2", "service-uid")["metadata"]["ownerReferences"]
    assert more == owner | {"uid": "uid-2"}


def test_a_server_of_checkpoints_reads_those_of_its_training_and_cannot_change_them() -> None:
    given = with_spec(serving(order("wait")), program=ReferenceServing(TRAINING, seed=1))
    with_place = blueprint(given, volume_classes=CLASSES, checkpoints="results")
    mounts = pod(with_place, 0, "uid")["spec"]["containers"][0]["volumeMounts"]
    path = f"medley/demo/{TRAINING}"
    want = {"name": "checkpoints", "mountPath": "/medley/served", "subPath": path, "readOnly": True}
    assert want in mounts
    document = json.loads(owner_object(with_place)["data"]["launch.json"])
    assert document["program"] == {"kind": "reference-serving", "folder": "/medley/served", "seed": 1}


@pytest.mark.parametrize(("training", "said"), [(TRAINING, "no place for checkpoints"), ("../other", "the training")])
def test_what_cannot_be_served_there_is_refused(training: str, said: str) -> None:
    job = with_spec(serving(order("wait")), program=ReferenceServing(training, seed=1)).job
    assert said in (objection(job, configuration()) or "")


def test_fresh_weights_need_no_place() -> None:
    given = with_spec(serving(order("wait")), program=ReferenceServing(None, seed=1))
    assert objection(given.job, configuration()) is None
    document = json.loads(owner_object(blueprint(given))["data"]["launch.json"])
    assert document["program"]["folder"] is None
