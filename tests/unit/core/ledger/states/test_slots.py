import pytest

from scheduler.core.ledger.states.slots import lowest, mask_of, slots_of


def test_slots_and_bits_say_the_same() -> None:
    assert mask_of((0, 2, 3)) == 0b1101
    assert slots_of(0b1101) == (0, 2, 3)
    assert (mask_of(()), slots_of(0)) == (0, ())


@pytest.mark.parametrize(
    ("mask", "count", "want"), [(0b1101, 2, 0b101), (0b1101, 0, 0), (0b1101, 9, 0b1101), (0, 1, 0)]
)
def test_the_lowest_slots_are_taken_first_and_no_more_than_there_are(mask: int, count: int, want: int) -> None:
    assert lowest(mask, count) == want
