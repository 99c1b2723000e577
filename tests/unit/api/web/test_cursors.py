import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import Refusal
from api.web.cursors import JOB_KEY, NAME_KEY, NODE_KEY, cut_page, decode_cursor, encode_cursor, page_of_whole


@given(st.from_regex(JOB_KEY, fullmatch=True))
def test_a_cursor_comes_back_as_the_key_it_stands_for(key: str) -> None:
    assert decode_cursor(encode_cursor(key), JOB_KEY) == key


def test_names_and_node_ids_have_cursors_too() -> None:
    assert decode_cursor(encode_cursor("ada@example"), NAME_KEY) == "ada@example"
    assert decode_cursor(encode_cursor("mixed/nvidia-1"), NODE_KEY) == "mixed/nvidia-1"
    assert decode_cursor(None, NODE_KEY) is None


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "!!!!", "AAAA", encode_cursor("' OR 1=1 --"), encode_cursor("a\u0000b"), encode_cursor("ü"), "A" * 500],
)
def test_any_other_text_is_refused_as_a_cursor(cursor: str) -> None:
    with pytest.raises(Refusal) as refused:
        decode_cursor(cursor, JOB_KEY)
    assert refused.value.problem.errors[0].pointer == "/query/cursor"


def test_a_cursor_has_one_spelling() -> None:
    cursor = encode_cursor("0123456789abcdef")
    with pytest.raises(Refusal):
        decode_cursor(cursor[:-1] + chr(ord(cursor[-1]) + 1), JOB_KEY)


def test_only_a_page_with_something_after_it_has_a_next_one() -> None:
    assert cut_page(["a", "b", "c"], 2, str) == (["a", "b"], encode_cursor("b"))
    assert cut_page(["a", "b"], 2, str) == (["a", "b"], None)
    assert cut_page([], 2, str) == ([], None)


def test_a_list_that_is_read_whole_is_cut_after_the_key_also_where_its_item_is_gone() -> None:
    names = ["d", "a", "c"]
    assert page_of_whole(names, None, 2, str) == (["a", "c"], encode_cursor("c"))
    assert page_of_whole(names, "c", 2, str) == (["d"], None)
    assert page_of_whole(names, "b", 1, str) == (["c"], encode_cursor("c"))
    assert page_of_whole(names, "d", 1, str) == ([], None)
