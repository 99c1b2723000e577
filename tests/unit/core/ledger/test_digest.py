from datetime import datetime, timedelta, timezone

import pytest

from scheduler.core.ledger.digest import digest_of
from scheduler.core.model.reason import BackingOff
from tests.builders.core import NOON, make_job, make_node


def test_equal_content_has_an_equal_digest_and_other_content_another() -> None:
    assert digest_of([make_node("a"), make_job()]) == digest_of([make_node("a"), make_job()])
    assert digest_of([make_node("a")]) != digest_of([make_node("b")])
    assert digest_of(["a", "b"]) != digest_of(["b", "a"])
    assert digest_of(["a", "b"]) != digest_of(["ab"])


def test_one_moment_in_two_time_zones_is_one_content() -> None:
    elsewhere: datetime = NOON.astimezone(timezone(timedelta(hours=8)))
    assert digest_of([BackingOff(NOON, 1, 1)]) == digest_of([BackingOff(elsewhere, 1, 1)])


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="canonical"):
        digest_of([object()])
