from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from medley.errors import ApiProblem, BadUsage, MedleyError, Unreachable
from medley.retries import Failure, pause_before_repeating_s, retry_after_s
from tests.builders.command import a_problem

SENT = Unreachable("http://a", "broken", was_sent=True)
NOT_SENT = Unreachable("http://a", "refused", was_sent=False)


def _problem(status: int, *, retry_after: float | None = None) -> ApiProblem:
    return ApiProblem(status, a_problem(status, "some"), retry_after_s=retry_after)


@pytest.mark.parametrize(
    ("error", "is_idempotent", "want"),
    [
        (NOT_SENT, False, True),
        (SENT, True, True),
        (SENT, False, False),
        (_problem(429), False, True),
        (_problem(502), True, True),
        (_problem(503), True, True),
        (_problem(504), True, True),
        (_problem(503), False, False),
        (_problem(500), True, False),
        (_problem(422), True, False),
        (_problem(409), True, False),
        (BadUsage("x"), True, False),
    ],
)
def test_a_call_is_repeated_only_where_that_does_no_harm(error: MedleyError, is_idempotent: bool, want: bool) -> None:  # noqa: FBT001
    pause_s = pause_before_repeating_s(Failure(error, is_idempotent, tries=1))
    assert (pause_s is not None) == want


def test_pauses_grow_and_are_bounded() -> None:
    pauses = [pause_before_repeating_s(Failure(SENT, is_idempotent=True, tries=tries)) for tries in range(1, 50)]
    assert all(pause is not None and 0.05 <= pause <= 5.0 for pause in pauses)
    assert (pauses[0] or 0) <= 0.1
    assert all((pause or 0) >= 2.5 for pause in pauses[10:])


def test_what_the_server_asks_for_is_kept() -> None:
    pause_s = pause_before_repeating_s(Failure(_problem(429, retry_after=7), is_idempotent=True, tries=1))
    assert pause_s == 7


@pytest.mark.parametrize(
    ("header", "want"),
    [("3", 3.0), (" 0 ", 0.0), ("99999999999", 3600.0), (None, None), ("", None), ("soon", None), ("-1", None)],
)
def test_retry_after_is_read_in_seconds(header: str | None, want: float | None) -> None:
    assert retry_after_s(header) == want


def test_retry_after_is_read_as_a_date() -> None:
    found = retry_after_s(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True))
    assert found is not None
    assert 50 < found <= 60
