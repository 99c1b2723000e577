import pytest
from pydantic import ValidationError

from api.schemas.access import UserBody
from api.schemas.job_request import JobRequest
from api.schemas.text import FORMS, NAME_PATTERN, Body
from api.schemas.workers import RendezvousBody
from api.web.field_errors import LONGEST_POINTER, MOST_ERRORS, field_errors, summary

JOB = {"name": "first", "workers": 1, "chips": "h100-sxm"}
BODY = {"chips": {"h100": 0}, "list": [{"a": 1}], "a/b~c": 1}


@pytest.mark.parametrize(
    ("location", "want"),
    [
        (("body",), ""),
        (("body", "missing"), "/missing"),
        (("body", "chips", "exact mix", "h100"), "/chips/h100"),
        (("body", "chips", "h100", "[key]"), "/chips/h100"),
        (("body", "list", 0, "a"), "/list/0/a"),
        (("body", "a/b~c"), "/a~1b~0c"),
        (("query", "limit"), "/query/limit"),
        (("header", "idempotency-key"), "/header/idempotency-key"),
    ],
)
def test_a_pointer_leads_to_the_offending_field(location: tuple[str | int, ...], want: str) -> None:
    found = field_errors([{"loc": location, "msg": "is wrong", "type": "some"}], BODY)
    assert [error.pointer for error in found] == [want]


def test_errors_are_bounded_in_number_and_size() -> None:
    errors = [{"loc": ("body", f"{number:02}" * 1000), "msg": "m" * 10_000, "type": "some"} for number in range(100)]
    found = field_errors(errors, BODY)
    assert len(found) == MOST_ERRORS
    assert all(len(error.pointer) <= LONGEST_POINTER and len(error.detail) <= 300 for error in found)


@pytest.mark.parametrize(
    ("schema", "body", "want"),
    [
        (JobRequest, {**JOB, "name": "My Job"}, ("/name", "must have lower-case letters, digits and dashes only")),
        (JobRequest, {**JOB, "chips": "H100"}, ("/chips", "must have lower-case letters, digits and dashes only")),
        (JobRequest, {**JOB, "chips": {"H100": 1}}, ("/chips/H100", "must have lower-case letters")),
        (JobRequest, {**JOB, "labels": {"a b": "c"}}, ("/labels/a b", "must have letters, digits and . _ / - only")),
        (JobRequest, {**JOB, "labels": {"a": ""}}, ("/labels/a", "must have letters, digits and . _ / - only")),
        (JobRequest, {**JOB, "environment": {"1A": ""}}, ("/environment/1A", "must have letters, digits and under")),
        (JobRequest, {**JOB, "command": ["true", "\0"]}, ("/command/1", "must not contain the character NUL")),
        (UserBody, {"name": "ada!"}, ("/name", "must have letters, digits and - . _ @ only")),
        (RendezvousBody, {"generation": 1, "address": "here"}, ("/address", "must be HOST:PORT or [IPV6]:PORT")),
    ],
)
def test_what_may_be_written_is_said_in_words(schema: type[Body], body: object, want: tuple[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        schema.model_validate(body)
    errors = [{**error, "loc": ("body", *error["loc"])} for error in refused.value.errors()]
    found = field_errors(errors, body)
    assert len(found) == 1
    assert found[0].pointer == want[0]
    assert found[0].detail.startswith(want[1])


def test_the_summary_names_the_first_field_and_counts_the_others() -> None:
    errors = [
        {"loc": ("body", "missing"), "msg": "Field required", "type": "missing"},
        {"loc": ("body", "chips"), "msg": "Value error, must be nice", "type": "value_error"},
    ]
    found = field_errors(errors, BODY)
    assert summary(found) == "missing: is needed (1 more)"
    assert found[1].detail == "must be nice"
    assert summary(()) == "The request is not valid."


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"command": "python train.py"}, ("/command", "must be a list, such as [a, b]")),
        ({"command": ["sleep", 10]}, ("/command/1", "must be text (in quotes)")),
        ({"command": ["a\0b"]}, ("/command/0", "must not contain the character NUL")),
        ({"command": []}, ("/command", "must have at least 1 entry")),
        ({"environment": {"A": 1}}, ("/environment/A", "must be text (in quotes)")),
        ({"kind": "batch"}, ("/kind", "must be one of: training or inference")),
        ({"chips": []}, ("/chips", "must have at least 1 entry")),
        ({"chips": 5}, ("/chips", "must be text (in quotes)")),
        ({"name": "My Job"}, ("/name", FORMS[NAME_PATTERN])),
        ({"time_limit_s": "1h"}, ("/time_limit_s", "must be a whole number of seconds")),
        ({"memory_mib": 1.5}, ("/memory_mib", "must be a whole number of MiB")),
        ({"workers": 10**9}, ("/workers", "must be at most 1024")),
        ({"workers": 0}, ("/workers", "must be at least 1")),
        ({"labels": []}, ("/labels", "must be a mapping of names to values")),
    ],
)  # fmt: skip
def test_the_commonest_mistakes_in_a_job_are_said_in_plain_words(
    changes: dict[str, object], want: tuple[str, str]
) -> None:
    body = {"name": "job", "workers": 1, "chips": "t4", "command": ["true"], **changes}
    with pytest.raises(ValidationError) as caught:
        JobRequest.model_validate(body)
    errors = [{**error, "loc": ("body", *error["loc"])} for error in caught.value.errors()]
    assert [(error.pointer, error.detail) for error in field_errors(errors, body)] == [want]
