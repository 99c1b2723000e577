"""`eventually` waits, returns what came true, and says what did not."""

from itertools import count

import pytest

from tests.builders.eventually import eventually


def test_the_first_true_answer_is_returned() -> None:
    calls = count()
    assert eventually(lambda: next(calls), within_s=5) == 1


def test_what_never_comes_true_is_named_with_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"the job to end did not come true within 0.01 s; last answer: ''"):
        eventually(str, within_s=0.01, what="the job to end")


def test_a_predicate_is_asked_even_without_time() -> None:
    assert eventually(lambda: "yes", within_s=0) == "yes"


def test_an_error_of_the_predicate_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError):
        eventually(lambda: 1 / 0, within_s=5)
