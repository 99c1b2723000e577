"""Plan files: what is read is what was written, and what is wrong with one is said with a pointer."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from scheduler.core.mixing.asked.shape import Experts
from scheduler.core.mixing.filing.plan_file import BadPlanFile, OtherVersion, PlanFile, plan_schema, read_plan_file
from tests.builders.plans import a_plan, a_plan_file, a_plan_of_one_vendor, a_shape, a_training


def through_json(file: PlanFile) -> Any:
    return json.loads(json.dumps(file.document, allow_nan=False))


@pytest.mark.parametrize(
    "file",
    [
        a_plan_file(),
        a_plan_file(plan=a_plan_of_one_vendor(8), why=""),
        a_plan_file(training=a_training(shape=a_shape(experts=Experts(8, 2), ties_embeddings=True))),
    ],
    ids=["two vendors", "one stage", "experts"],
)
def test_a_plan_comes_back_from_its_file_as_it_was(file: PlanFile) -> None:
    assert read_plan_file(through_json(file)) == file


def test_a_file_keeps_to_the_published_schema() -> None:
    jsonschema_rs.validate(plan_schema(), through_json(a_plan_file()))
    broken = through_json(a_plan_file()) | {"devices": "eight"}
    assert not jsonschema_rs.is_valid(plan_schema(), broken)


def test_a_file_says_what_follows_from_it() -> None:
    document = through_json(a_plan_file())
    second = document["stages"][1]
    assert document["devices"] == 8
    assert (second["first_layer"], second["last_layer"]) == (5, 7)
    assert second["groups"] == {"first_rank": 4, "ranks": 4, "tensor_parallel": 2, "data_parallel": 2}
    assert second["memory"]["total"] == 33 << 30
    assert document["prediction"]["ideal_share"] == pytest.approx(0.75)


def test_a_file_of_another_version_is_refused_by_its_version() -> None:
    with pytest.raises(OtherVersion, match="is 2, and plan files of version 1 are read here") as caught:
        read_plan_file(through_json(a_plan_file()) | {"version": 2, "anything": "else"})
    assert (caught.value.version, caught.value.pointer) == (2, "/version")


@pytest.mark.parametrize("document", [None, [], "plan", {}, {"version": 1}, {"format": "other", "version": 1}])
def test_what_is_no_plan_file_is_refused_as_such(document: object) -> None:
    with pytest.raises(BadPlanFile, match='is no plan file: those are JSON objects with "format": "medley-plan"'):
        read_plan_file(document)


def put(value: object, *path: str | int) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (put("1", "version"), "/version"),
        (put(9, "devices"), "/devices"),
        (put(3, "stages", 0, "last_layer"), "/stages/0/last_layer"),
        (put(4, "stages", 1, "first_layer"), "/stages/1/first_layer"),
        (put(0, "stages", 1, "layers"), "/stages/1/layers"),
        (put(-1.0, "stages", 1, "forward_s"), "/stages/1/forward_s"),
        (put(7, "micro_batches"), "/micro_batches"),
        (put(0, "micro_batch"), "/micro_batch"),
        (put([], "stages"), "/stages"),
        (put(5, "stages"), "/stages"),
        (put([], "boundaries"), "/boundaries"),
        (put(-1, "boundaries", 0, "extra_warm_up"), "/boundaries/0"),
        (put("pigeon", "boundaries", 0, "transport"), "/boundaries/0/transport"),
        (put(0.0, "prediction", "step_s"), "/prediction/step_s"),
        (put(float("nan"), "prediction", "low_s"), "/prediction/low_s"),
        (put(0.5, "prediction", "ideal_share"), "/prediction/ideal_share"),
        (put(7, "training", "shape", "layers"), "/stages"),
        (put({}, "training"), "/training/shape"),
        (put(3, "stages", 0, "memory", "total"), "/stages/0/memory/total"),
        (put(3, "stages", 0, "groups", "first_rank"), "/stages/0/groups/first_rank"),
        (put(3, "colour"), "/colour"),
        (put(3, "why"), "/why"),
    ],
)
def test_what_is_wrong_with_a_file_is_pointed_at(change: Callable[[Any], None], pointer: str) -> None:
    document = through_json(a_plan_file())
    change(document)
    with pytest.raises(BadPlanFile) as caught:
        read_plan_file(document)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("part", ["training", "runtime", "stages", "prediction"])
def test_a_part_that_is_missing_is_named(part: str) -> None:
    document = through_json(a_plan_file())
    del document[part]
    with pytest.raises(BadPlanFile, match=f"/{part} is missing"):
        read_plan_file(document)


def test_a_file_without_what_follows_from_it_is_read_as_well() -> None:
    document = through_json(a_plan_file())
    del document["devices"]
    for stage in document["stages"]:
        del stage["groups"], stage["last_layer"]
    assert read_plan_file(document).plan == a_plan()


def test_two_plans_that_differ_have_files_that_differ() -> None:
    other = a_plan_file(plan=replace(a_plan(), micro_batch=4, micro_batches=4))
    assert other.document != a_plan_file().document
