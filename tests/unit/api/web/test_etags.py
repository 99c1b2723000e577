"""Tags of what people edit."""

from datetime import UTC, datetime

import pytest

from api.problems import Refusal
from api.web.etags import etag_of, guarded_by
from scheduler.core.model.node import Drain

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_equal_states_have_one_tag_and_others_another() -> None:
    assert etag_of(Drain("ada", NOON)) == etag_of(Drain("ada", NOON))
    assert len({etag_of(None), etag_of(Drain("ada", NOON)), etag_of(Drain("ada", NOON, "why"))}) == 3


@pytest.mark.parametrize("header", [None, "*", etag_of(1), f'"x" ,{etag_of(1)}'])
def test_what_matches_passes(header: str | None) -> None:
    guarded_by(header)(1)


@pytest.mark.parametrize("header", ['"x"', f"W/{etag_of(1)}", '"x", "y"'])
def test_what_does_not_match_is_refused(header: str) -> None:
    with pytest.raises(Refusal) as refused:
        guarded_by(header)(1)
    assert refused.value.problem.status == 412


def test_a_star_asks_for_anything_that_is_there() -> None:
    with pytest.raises(Refusal) as refused:
        guarded_by("*")(None)
    assert refused.value.problem.errors[0].detail.endswith("nothing")
