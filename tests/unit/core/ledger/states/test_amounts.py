from scheduler.core.ledger.states.amounts import amounts_of


def test_equal_amounts_are_one_object_and_others_are_others() -> None:
    assert amounts_of("h100", 2, 1_000, 64, 1) is amounts_of("h100", 2, 1_000, 64, 1)
    different = [
        amounts_of("h100", 2, 1_000, 64, 1),
        amounts_of("mlu", 2, 1_000, 64, 1),
        amounts_of(None, 0, 1_000, 64, 1),
        amounts_of("h100", 0, 1_000, 64, 1, 500, 8),
        amounts_of("h100", 0, 1_000, 64, 1, 500, 9),
    ]
    assert len({id(amounts) for amounts in different}) == len(different)


def test_devices_are_told_in_thousandths_whole_or_shared() -> None:
    assert amounts_of("h100", 3, 0, 0, 1).devices_milli == 3_000
    assert amounts_of("h100", 0, 0, 0, 1, 250, 64).devices_milli == 250
    assert amounts_of(None, 0, 1_000, 64, 1).devices_milli == 0
