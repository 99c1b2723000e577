import gc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from scheduler.adapters.kubernetes.decoding.collecting import collecting_later


@pytest.fixture(autouse=True)
def _on_again() -> Iterator[None]:
    yield
    gc.enable()


def test_the_collector_rests_until_the_last_reader_is_done() -> None:
    with ExitStack() as first:
        first.enter_context(collecting_later())
        with collecting_later():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_works_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="broken"), collecting_later():
        raise ValueError("broken")
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    with collecting_later():
        pass
    assert not gc.isenabled()
