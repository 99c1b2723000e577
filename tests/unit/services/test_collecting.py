import gc

import pytest

from scheduler.services.collecting import nothing_collected


def test_nothing_is_collected_within_and_everything_as_before_after() -> None:
    assert gc.isenabled()
    with nothing_collected(), nothing_collected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_goes_wrong_within_does_not_leave_it_off() -> None:
    with pytest.raises(KeyError), nothing_collected():
        raise KeyError
    assert gc.isenabled()
