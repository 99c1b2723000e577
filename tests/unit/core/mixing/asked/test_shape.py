"""What the shape of a model says of how its layers can be split."""

from dataclasses import replace

import pytest

from scheduler.core.mixing.catalogue import MODELS
from tests.builders.mixing import SMALL


def test_heads_may_share_keys_and_values() -> None:
    assert MODELS["llama3-70b"].key_value_heads == 8
    assert MODELS["gpt2"].key_value_heads == MODELS["gpt2"].heads


@pytest.mark.parametrize(
    ("name", "into", "not_into"),
    [
        ("llama3-70b", (1, 2, 4, 8), (3, 16)),  # 64 heads, and 8 of keys and values
        ("llama2-13b", (1, 2, 4, 8), (5, 16)),  # 40 heads, but 13,824 columns
        ("mixtral-8x22b", (1, 2, 4, 8), (3, 6)),  # 48 heads, but 8 of keys and values
        ("gpt2", (1, 2, 3, 4, 6, 12), (5, 8)),
    ],
)
def test_devices_that_share_a_layer_have_whole_heads_and_equal_columns(
    name: str, into: tuple[int, ...], not_into: tuple[int, ...]
) -> None:
    assert all(MODELS[name].splits_into(degree) for degree in into)
    assert not any(MODELS[name].splits_into(degree) for degree in not_into)


def test_experts_are_split_by_their_own_width() -> None:
    assert not replace(SMALL, feed_forward_width=4_005).splits_into(2)
