from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.adapters.kubernetes.decoding.quantities import Unreadable, offered, taken, taken_in_units

GI = 1 << 30
SCALES = {"": Fraction(1), "m": Fraction(1, 1000), "k": Fraction(1000), "Ki": Fraction(1024), "e2": Fraction(100)}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("8", 8),
        ("+8", 8),
        ("8.", 8),
        ("-0", 0),
        ("1k", 1000),
        ("1M", 10**6),
        ("2e3", 2000),
        ("2E3", 2000),
        ("2e+3", 2000),
        ("2000e-3", 2),
        ("0.5k", 500),
        (".5k", 500),
        ("1Ki", 1024),
        ("1500m", 2),
        ("1n", 1),
    ],
)
def test_every_way_to_write_a_count_is_read(text: str, amount: int) -> None:
    assert taken("example.com/device", text) == amount


@pytest.mark.parametrize(
    ("name", "text", "amount"),
    [
        ("cpu", "2", 2000),
        ("cpu", "250m", 250),
        ("cpu", "0.1", 100),
        ("cpu", "1500u", 2),
        ("memory", "128974848", 128974848),
        ("memory", "1.5Gi", 3 * GI // 2),
        ("memory", "1E", 10**18),
        ("memory", "100m", 1),
        ("hugepages-2Mi", "4Ti", 4096 * GI),
    ],
)
def test_each_resource_has_its_unit(name: str, text: str, amount: int) -> None:
    assert taken(name, text) == amount


def test_what_is_taken_is_rounded_up_and_what_is_offered_down() -> None:
    assert taken_in_units("memory", taken("memory", "1537Ki")) == 2
    assert offered("memory", "1537Ki") == 1
    assert (taken("cpu", "1u"), offered("cpu", "999u")) == (1, 0)
    assert (taken("x/y", "1500m"), offered("x/y", "1500m")) == (2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "-1m",
        "abc",
        "1 Gi",
        "1gi",
        "1ki",
        "0x10",
        "1e999",
        "NaN",
        "inf",
        "1Gi\n",
        "٣",
        "1" * 70,
        "1e",
        "--1",
        ".",
    ],
)
def test_what_is_no_quantity_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable, match=f"^x/y={text[:5]}"):
        offered("x/y", text)


@pytest.mark.parametrize(
    ("name", "text"),
    [("x/y", "9223372036854775807"), ("x/y", "1E"), ("cpu", "2M"), ("memory", "2E"), ("pods", "1e99")],
)
def test_more_than_any_machine_has_is_unreadable(name: str, text: str) -> None:
    with pytest.raises(Unreadable):
        offered(name, text)


@given(st.integers(0, 10**15), st.sampled_from(list(SCALES)))
def test_nothing_is_lost_by_rounding(digits: int, suffix: str) -> None:
    exact = digits * SCALES[suffix]
    if exact <= 1 << 60:
        assert taken("memory", f"{digits}{suffix}") - 1 < exact <= taken("memory", f"{digits}{suffix}")
        assert offered("memory", f"{digits}{suffix}") == exact // (1 << 20)
