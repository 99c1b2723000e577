from typing import Any

import pytest

from api.answers.specs import spec_answer
from api.schemas.job_request import JobRequest

LEAST = {"name": "first", "workers": 4, "chips": "h100-sxm"}
SHARE = {"milli": 500, "memory_mib": 40_960}


def shown(**changes: Any) -> dict[str, Any]:
    spec = JobRequest.model_validate({**LEAST, **changes}).to_spec()
    return spec_answer(spec).model_dump(mode="json")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"chips": ["a", "b"]},
        {"workers": None, "chips": {"b": 1, "a": 2}},
        {"share": SHARE},
        {"share": SHARE, "alternatives": [{"devices_per_worker": 1}, {"workers": 2}]},
        {"alternatives": [{"share": SHARE, "chips": ["b", "c"]}, {"workers": 9}], "choose": "best"},
        {"roles": [{"name": "launcher", "command": ["mpirun"]}, {"name": "r", "chips": ["a", "b"], "share": SHARE}]},
        {"topology": {"require": "rack", "prefer": ["nvlink"]}, "spread": {"level": "rack", "most": 4}},
        {"topology": {"prefer": []}, "apart": {"labels": {"team": "vision"}}},
        {"exclusive": True, "node_labels": {"zone": "z1", "gpu": ""}},
        {"training": {"steps": 9}, "labels": {"b": "1", "a": "2"}, "environment": {"A": "1"}},
    ],
)
def test_what_is_shown_may_be_submitted_again_as_it_is(changes: dict[str, Any]) -> None:
    first = JobRequest.model_validate({**LEAST, **changes})
    again = JobRequest.model_validate(spec_answer(first.to_spec()).model_dump(mode="json"))
    assert again.to_spec() == first.to_spec()
    assert spec_answer(again.to_spec()) == spec_answer(first.to_spec())


def test_an_alternative_is_shown_complete() -> None:
    want = {"workers": 16, "chips": "a800", "devices_per_worker": 1, "share": None, "cpu_milli": 500}
    alternative = shown(cpu_milli=500, alternatives=[{"workers": 16, "chips": "a800"}])["alternatives"][0]
    assert alternative == {**want, "memory_mib": 4096}


def test_a_share_is_shown_in_place_of_devices() -> None:
    spec = shown(share=SHARE)
    assert (spec["devices_per_worker"], spec["share"]) == (0, SHARE)
    assert shown()["share"] is None


def test_what_was_not_asked_for_is_shown_as_nothing() -> None:
    spec = shown()
    assert (spec["topology"], spec["spread"], spec["apart"]) == ({"require": None, "prefer": None}, None, None)
    assert (spec["alternatives"], spec["roles"], spec["node_labels"], spec["exclusive"]) == ([], [], {}, False)
