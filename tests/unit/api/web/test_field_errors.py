import pytest

from api.web.field_errors import LONGEST_POINTER, MOST_ERRORS, field_errors, summary

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


def test_the_summary_names_the_first_field_and_counts_the_others() -> None:
    errors = [
        {"loc": ("body", "missing"), "msg": "Field required", "type": "missing"},
        {"loc": ("body", "chips"), "msg": "Value error, must be nice", "type": "value_error"},
    ]
    found = field_errors(errors, BODY)
    assert summary(found) == "missing: is needed (1 more)"
    assert found[1].detail == "must be nice"
    assert summary(()) == "The request is not valid."
