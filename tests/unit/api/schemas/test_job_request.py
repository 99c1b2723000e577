from typing import Any

import pytest
from pydantic import ValidationError

from api.schemas.job_request import JobRequest
from scheduler.core.model.asking.mounts import SecretVariable, Volume
from scheduler.core.model.job import AnyOf, CommandProgram, ExactMix, JobKind, ReferenceTraining
from scheduler.core.model.resources import WorkerShape

LEAST = {"name": "first", "workers": 4, "chips": "h100-sxm"}


def request(**changes: Any) -> JobRequest:
    return JobRequest.model_validate({**LEAST, **changes})


def test_the_least_request_gets_every_default() -> None:
    spec = request().to_spec()
    assert (spec.name, spec.kind, spec.workers) == ("first", JobKind.TRAINING, 4)
    assert spec.shape == WorkerShape(devices=1, cpu_milli=1000, memory_mib=4096)
    assert spec.chips == AnyOf(("h100-sxm",))
    want_program = ReferenceTraining(
        steps=60, batch=8, sequence=64, width=64, layers=2, heads=2, learning_rate=0.003, seed=1
    )
    assert spec.program == want_program
    assert (spec.retries, spec.time_limit_s, spec.grace_s, spec.priority) == (0, None, 10, 0)


def test_a_list_of_chips_keeps_its_order_of_preference() -> None:
    assert request(chips=["mi300x", "h100-sxm"]).to_spec().chips == AnyOf(("mi300x", "h100-sxm"))


def test_a_mix_says_how_many_workers_there_are() -> None:
    spec = JobRequest.model_validate({"name": "mixed", "chips": {"mi300x": 2, "h100-sxm": 1}}).to_spec()
    assert spec.workers == 3
    assert spec.chips == ExactMix((("mi300x", 2), ("h100-sxm", 1)))


def test_a_command_takes_the_place_of_the_training() -> None:
    assert request(command=["python", "train.py"]).to_spec().program == CommandProgram(("python", "train.py"))


def test_labels_and_variables_are_kept_in_order_of_their_names() -> None:
    spec = request(labels={"b": "2", "a": "1"}, environment={"Z": "", "A": "x y"}).to_spec()
    assert spec.labels == (("a", "1"), ("b", "2"))
    assert spec.environment == (("A", "x y"), ("Z", ""))


@pytest.mark.parametrize(
    ("changes", "want_field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a" * 64}, "name"),
        ({"name": "First"}, "name"),
        ({"name": "-first"}, "name"),
        ({"name": "first\n"}, "name"),
        ({"name": "f\u0000rst"}, "name"),
        ({"name": "first\u202e"}, "name"),
        ({"kind": "batch"}, "kind"),
        ({"workers": 0}, "workers"),
        ({"workers": -1}, "workers"),
        ({"workers": 1025}, "workers"),
        ({"workers": 10**9}, "workers"),
        ({"workers": 10**400}, "workers"),
        ({"workers": "4"}, "workers"),
        ({"workers": 4.0}, "workers"),
        ({"workers": True}, "workers"),
        ({"workers": None}, "workers"),
        ({"chips": {"h100-sxm": 2}, "workers": 3}, "workers"),
        ({"chips": {"h100-sxm": 1000, "mi300x": 1000}, "workers": None}, "workers"),
        ({"chips": []}, "chips"),
        ({"chips": {}}, "chips"),
        ({"chips": ["h100-sxm", "h100-sxm"]}, "chips"),
        ({"chips": [f"chip-{number}" for number in range(17)]}, "chips"),
        ({"chips": {"h100-sxm": 0}}, "chips"),
        ({"chips": {"h100-sxm": True}}, "chips"),
        ({"chips": 3}, "chips"),
        ({"chips": None}, "chips"),
        ({"devices_per_worker": 65}, "devices_per_worker"),
        ({"devices_per_worker": 10**9}, "devices_per_worker"),
        ({"cpu_milli": 0}, "cpu_milli"),
        ({"memory_mib": 2**25}, "memory_mib"),
        ({"command": []}, "command"),
        ({"command": [""]}, "command"),
        ({"command": "python train.py"}, "command"),
        ({"command": ["true", "a\u0000b"]}, "command"),
        ({"command": ["x"] * 257}, "command"),
        ({"command": ["x" * 4097]}, "command"),
        ({"command": ["true"], "training": {}}, "training"),
        ({"training": {"steps": 0}}, "training"),
        ({"training": {"heads": 3, "width": 64}}, "training"),
        ({"training": {"learning_rate": float("nan")}}, "training"),
        ({"training": {"learning_rate": float("inf")}}, "training"),
        ({"training": {"unknown": 1}}, "training"),
        ({"environment": {"LD_PRELOAD": "x"}}, "environment"),
        ({"environment": {"MEDLEY_LAUNCH": "x"}}, "environment"),
        ({"environment": {"NVIDIA_VISIBLE_DEVICES": "all"}}, "environment"),
        ({"environment": {"PYTHONPATH": "x"}}, "environment"),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "0"}}, "environment"),
        ({"environment": {"HIP_VISIBLE_DEVICES": "0"}}, "environment"),
        ({"environment": {"ASCEND_RT_VISIBLE_DEVICES": "0"}}, "environment"),
        ({"environment": {"SOMEBODYS_VISIBLE_DEVICES": "0"}}, "environment"),
        ({"environment": {"NEURON_RT_VISIBLE_CORES": "0"}}, "environment"),
        ({"environment": {"ZE_AFFINITY_MASK": "0"}}, "environment"),
        ({"environment": {"1A": "x"}}, "environment"),
        ({"environment": {"A": "a\u0000b"}}, "environment"),
        ({"environment": {f"A{number}": "" for number in range(65)}}, "environment"),
        ({"retries": 11}, "retries"),
        ({"time_limit_s": 0}, "time_limit_s"),
        ({"grace_s": 601}, "grace_s"),
        ({"priority": 101}, "priority"),
        ({"labels": {"a b": "c"}}, "labels"),
        ({"labels": {"a": "c\u202e"}}, "labels"),
        ({"labels": {f"l{number}": "x" for number in range(33)}}, "labels"),
        ({"tenant": "beta"}, "tenant"),
        ({"state": "running"}, "state"),
        ({"submitted_by": "root"}, "submitted_by"),
    ],
)
def test_what_is_out_of_bounds_is_refused_at_its_field(changes: dict[str, Any], want_field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        request(**changes)
    assert {error["loc"][0] for error in refused.value.errors()} == {want_field}


def test_equal_requests_have_equal_hashes_however_they_are_written() -> None:
    spelled_out = request(retries=0, grace_s=10, kind="training", labels={}, environment={})
    assert spelled_out.body_sha256() == request().body_sha256()
    assert request(labels={"a": "1", "b": "2"}).body_sha256() == request(labels={"b": "2", "a": "1"}).body_sha256()


def test_different_requests_have_different_hashes() -> None:
    one_way = JobRequest.model_validate({"name": "mixed", "chips": {"mi300x": 2, "h100-sxm": 2}})
    other_way = JobRequest.model_validate({"name": "mixed", "chips": {"h100-sxm": 2, "mi300x": 2}})
    hashes = [one_way, other_way, request(), request(retries=1), request(workers=5), request(environment={"A": "1"})]
    assert len({each.body_sha256() for each in hashes}) == len(hashes)


def test_a_chip_is_pointed_to_where_it_was_named() -> None:
    assert request().pointer_to("h100-sxm") == "/chips"
    assert request(chips=["a", "b"]).pointer_to("b") == "/chips/1"
    assert JobRequest.model_validate({"name": "m", "chips": {"a": 1, "b": 2}}).pointer_to("b") == "/chips/b"


def test_image_volumes_and_secrets_reach_the_specification() -> None:
    spec = request(
        image="vision/training:2.1",
        shared_memory_mib=512,
        volumes=[{"volume_class": "datasets", "path": "/data", "read_only": True}],
        secrets={"HUB": {"secret": "hub", "key": "token"}, "A_KEY": {"secret": "store", "key": "id"}},
    ).to_spec()
    assert (spec.image, spec.shared_memory_mib) == ("vision/training:2.1", 512)
    assert spec.volumes == (Volume("datasets", "/data", is_read_only=True),)
    assert spec.secrets == (SecretVariable("A_KEY", "store", "id"), SecretVariable("HUB", "hub", "token"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "spaces in it"),
        ("image", "$(HOSTNAME)"),
        ("image", ""),
        ("image", "a" * 513),
        ("shared_memory_mib", -1),
        ("volumes", [{"volume_class": "datasets", "path": "data"}]),
        ("volumes", [{"volume_class": "datasets", "path": "/data/../etc"}]),
        ("volumes", [{"volume_class": "Datasets", "path": "/data"}]),
        ("volumes", [{"volume_class": "a", "path": "/data"}, {"volume_class": "b", "path": "/data"}]),
        ("secrets", {"LD_PRELOAD": {"secret": "hub", "key": "token"}}),
        ("secrets", {"HUB": {"secret": "../hub", "key": "token"}}),
        ("secrets", {"HUB": {"secret": "hub", "key": "a/b"}}),
    ],
)
def test_images_volumes_and_secrets_of_another_form_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        request(**{field: value})


def test_a_variable_comes_from_the_job_or_from_a_secret() -> None:
    with pytest.raises(ValidationError, match="HUB is in environment as well"):
        request(environment={"HUB": "x"}, secrets={"HUB": {"secret": "hub", "key": "token"}})


def test_the_order_of_secrets_does_not_count_for_the_idempotency_key() -> None:
    one, other = {"secret": "a", "key": "x"}, {"secret": "b", "key": "y"}
    first, second = request(secrets={"A": one, "B": other}), request(secrets={"B": other, "A": one})
    assert first.body_sha256() == second.body_sha256()
    assert first.body_sha256() != request(secrets={"A": other, "B": one}).body_sha256()
