from tests.builders.core import make_allocation, make_share


def test_an_allocation_holds_a_thousand_thousandths_per_slot() -> None:
    assert make_allocation((0, 3, 5)).devices_milli == 3_000
    assert make_allocation(()).devices_milli == 0


def test_devices_count_whether_their_slots_are_known_or_not() -> None:
    counted = make_allocation((), counted=4)
    assert (counted.devices, counted.devices_milli) == (4, 4_000)


def test_a_share_is_no_whole_device_and_as_many_thousandths_as_it_is() -> None:
    share = make_share(3, 250, 1_024)
    assert (share.devices, share.devices_milli) == (0, 250)
