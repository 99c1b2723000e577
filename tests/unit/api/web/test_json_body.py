from typing import Any

import anyio
import pytest
from starlette.types import Message

from api.problems import Code, Refusal
from api.web.json_body import MOST_BODY_BYTES, MOST_DEPTH, JsonRequest, is_deeper_than


def request(*chunks: bytes, headers: dict[str, str] | None = None) -> JsonRequest:
    given = {"content-type": "application/json", **(headers or {})}
    left = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0) if left else b"", "more_body": bool(left)}

    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    return JsonRequest({"type": "http", "method": "POST", "headers": raw, "path": "/"}, receive)


def parse(*chunks: bytes, headers: dict[str, str] | None = None) -> Any:
    return anyio.run(request(*chunks, headers=headers).json)


def refusal_of(*chunks: bytes, headers: dict[str, str] | None = None) -> Code:
    with pytest.raises(Refusal) as refused:
        parse(*chunks, headers=headers)
    return refused.value.problem.code


def test_a_body_may_arrive_in_pieces() -> None:
    assert parse(b'{"a":', b" [1, ", b"2]}") == {"a": [1, 2]}


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_named_in_any_of_its_spellings(content_type: str) -> None:
    assert parse(b"{}", headers={"content-type": content_type}) == {}


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "text/json", "json"])
def test_any_other_type_is_refused(content_type: str) -> None:
    assert refusal_of(b"{}", headers={"content-type": content_type}) is Code.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{]",
        b"[1,]",
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b'"\\ud800"',
        b"{} {}",
        b"'a'",
        b"[1e]",
        b"\x00",
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    assert refusal_of(body) is Code.MALFORMED_JSON


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b'{"devices": 1, "devices": 64}', "'devices' 2 times"),
        (b'{"a": {"b": [{"c": 1, "d": 2, "c": 1, "c": 3}]}}', "'c' 3 times"),
        (b'{"a": 1, "\\u0061": 1}', "'a' 2 times"),
        (b'{"' + b"x" * 1000 + b'": 1, "' + b"x" * 1000 + b'": 2}', "x' 2 times"),
    ],
)
def test_a_name_given_twice_is_refused_for_nobody_knows_which_counts(body: bytes, want: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(body)
    assert refused.value.problem.code is Code.MALFORMED_JSON
    assert want in refused.value.problem.detail
    assert len(refused.value.problem.detail) < 200


def test_the_same_name_in_different_objects_is_fine() -> None:
    assert parse(b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}') == {"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}


def test_a_body_over_the_limit_is_refused_whatever_length_it_claims() -> None:
    half = b" " * (MOST_BODY_BYTES // 2 + 1)
    assert refusal_of(half, half) is Code.BODY_TOO_LARGE
    assert refusal_of(half, half, headers={"content-length": "2"}) is Code.BODY_TOO_LARGE
    assert refusal_of(b"{}", headers={"content-length": str(MOST_BODY_BYTES + 1)}) is Code.BODY_TOO_LARGE
    assert refusal_of(b"{}", headers={"content-length": "9" * 5000}) is Code.BODY_TOO_LARGE


def test_a_body_at_the_limit_is_read() -> None:
    assert len(parse(b'"' + b"x" * (MOST_BODY_BYTES - 2) + b'"')) == MOST_BODY_BYTES - 2


def test_a_document_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    assert parse(b"[" * MOST_DEPTH + b"]" * MOST_DEPTH)
    assert refusal_of(b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1)) is Code.MALFORMED_JSON
    assert refusal_of(b'{"a":' * (MOST_DEPTH + 1) + b"1" + b"}" * (MOST_DEPTH + 1)) is Code.MALFORMED_JSON
    assert refusal_of(b"[" * 100_000 + b"]" * 100_000) is Code.MALFORMED_JSON


def test_many_shallow_parts_are_not_deep() -> None:
    assert parse(b"[" + b",".join([b"[]"] * 100) + b"]") == [[]] * 100


def test_depth_is_counted_in_levels() -> None:
    assert not is_deeper_than(0, 1)
    assert is_deeper_than(0, [1])
    assert is_deeper_than(0, [])
    assert not is_deeper_than(1, [])
    assert not is_deeper_than(2, {"a": [1]})
    assert is_deeper_than(1, {"a": [1]})
