from tests.builders.core import make_allocation


def test_an_allocation_holds_a_thousand_thousandths_per_slot() -> None:
    assert make_allocation((0, 3, 5)).devices_milli == 3_000
    assert make_allocation(()).devices_milli == 0
