"""Elastic jobs as they are asked for."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.schemas.job_request import JobRequest
from scheduler.core.model.resources import Elastic

PLAIN: dict[str, Any] = {"name": "first", "chips": "h100", "command": ["true"]}


def parsed(**fields: Any) -> JobRequest:
    return JobRequest.model_validate({**PLAIN, **fields})


def test_a_range_of_workers_is_the_most_with_the_least_that_will_do() -> None:
    short = parsed(workers={"min": 2, "max": 8, "step": 2})
    assert short == parsed(workers=8, min_workers=2, workers_step=2)
    assert short.body_sha256() == parsed(workers=8, min_workers=2, workers_step=2).body_sha256()
    spec = short.to_spec()
    assert (spec.workers, spec.elastic, spec.sizes) == (8, Elastic(2, 2), (8, 6, 4, 2))
    assert [option[0].workers for option in spec.options()] == [8, 6, 4, 2]


def test_more_workers_are_liked_better_than_another_chip_type() -> None:
    spec = parsed(chips=["h100", "a800"], workers={"min": 1, "max": 2}).to_spec()
    assert [(part.chip, part.workers) for (part,) in spec.options()] == [
        ("h100", 2),
        ("a800", 2),
        ("h100", 1),
        ("a800", 1),
    ]


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ({"workers": 2, "min_workers": 3}, "min_workers", "must not be above workers, which is 2"),
        ({"workers": {"min": 3, "max": 2}}, "workers", "min must not be above max"),
        ({"workers": {"min": 2, "max": 5, "step": 2}}, "min_workers", "not a whole number of steps of 2 below workers"),
        ({"workers": {"min": 1, "max": 1000}}, "min_workers", "makes more than 32 sizes"),
        ({"workers": {"min": 1, "max": 2, "of": 3}}, "workers", "Extra inputs"),
        ({"workers": {"min": "1", "max": 2}}, "workers", "valid integer"),
        ({"workers": 2, "min_workers": 1, "exclusive": True}, "min_workers", "together with exclusive"),
        ({"workers": 2, "min_workers": 1, "topology": {"require": "rack"}}, "min_workers", "topology.require"),
        ({"chips": {"h100": 1, "a800": 1}, "min_workers": 1}, "min_workers", "with a mix"),
        (
            {"workers": 2, "min_workers": 1, "kind": "inference", "command": ["serve"]},
            "min_workers",
            "is for trainings",
        ),
        (
            {"workers": 2, "min_workers": 1, "roles": [{"name": "launcher", "workers": 1, "devices_per_worker": 0}]},
            "min_workers",
            "one role",
        ),
    ],
)
def test_what_does_not_go_with_it_is_refused_by_name(fields: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parsed(**fields)
    errors = [(error["loc"][0], error["msg"]) for error in refused.value.errors()]
    assert any(place == where and says in text for place, text in errors), errors
