import json

import pytest

from api.problems import Code, FieldError, Problem, refuse, unavailable


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_status_and_a_title(code: Code) -> None:
    problem = Problem(code, "It went wrong.")
    assert 400 <= problem.status < 600
    assert problem.title


def test_a_problem_is_an_rfc_9457_document() -> None:
    refusal = refuse(Code.INVALID_REQUEST, "workers: is needed", "say how many", FieldError("/workers", "is needed"))
    response = refusal.problem.respond("request-1")
    assert (response.status_code, response.media_type) == (422, "application/problem+json")
    assert json.loads(bytes(response.body)) == {
        "type": "/problems/invalid-request",
        "title": "The request is not valid",
        "status": 422,
        "detail": "workers: is needed",
        "code": "invalid-request",
        "request_id": "request-1",
        "next": "say how many",
        "errors": [{"pointer": "/workers", "detail": "is needed"}],
    }


def test_what_is_unavailable_says_when_to_come_back() -> None:
    response = unavailable(Code.STORAGE_UNAVAILABLE, "Nothing was written.").respond("request-1")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_text_that_cannot_be_encoded_does_no_harm() -> None:
    assert Problem(Code.BAD_REQUEST, "\ud800").respond("request-1").status_code == 400
