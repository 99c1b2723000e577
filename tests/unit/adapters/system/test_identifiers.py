import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.adapters.system.identifiers import SystemIdentifiers


def test_an_id_is_16_small_letters_and_digits() -> None:
    source = SystemIdentifiers()

    assert re.fullmatch("[a-z0-9]{16}", source.new_job_id())
    assert re.fullmatch("[a-z0-9]{16}", source.new_token_id())


def test_each_id_is_greater_than_the_one_before_even_in_the_same_millisecond() -> None:
    source = SystemIdentifiers()
    ids = [source.new_job_id() for _ in range(5000)]

    assert ids == sorted(set(ids))


def test_ids_grow_though_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SystemIdentifiers()
    before = source.new_job_id()
    monkeypatch.setattr(time, "time_ns", lambda: 0)

    assert source.new_job_id() > before


def test_the_first_nine_characters_tell_the_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: (32**8 + 1) * 1_000_000)

    assert SystemIdentifiers().new_job_id()[:9] == "100000001"


def test_two_sources_do_not_make_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)

    assert len({SystemIdentifiers().new_job_id() for _ in range(1000)}) == 1000


def test_threads_share_a_source() -> None:
    source = SystemIdentifiers()
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: source.new_job_id(), range(2000)))

    assert len(set(ids)) == 2000
