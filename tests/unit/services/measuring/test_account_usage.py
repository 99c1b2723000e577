"""Accounts: exact, by what was asked for, and in normalised compute."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.ports.records.usage import HeldSpan
from scheduler.services.measuring import account_usage as module
from scheduler.services.measuring.account_usage import Account, TooManyAccounts, account_usage, held_worth
from tests.builders.database import make_chip

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHIPS = [
    make_chip("h100", dense_bf16_tflops=989.0, measured_tflops=800.0),
    make_chip("mlu590", dense_bf16_tflops=314.0, measured_tflops=None),
    make_chip("mystery", dense_bf16_tflops=None, measured_tflops=None),
]


def span(
    began: datetime, ended: datetime | None, *, chip: str = "h100", milli: int = 1_000, user: str = "ann"
) -> HeldSpan:
    return HeldSpan("alpha", user, chip, milli, began, ended)


def accounts(
    *spans: HeldSpan, by: tuple[str, ...] = (), since: datetime = MIDNIGHT, hours: float = 48
) -> list[Account]:
    return account_usage(spans, CHIPS, since=since, until=since + hours * HOUR, by=by)


def test_devices_count_for_as_long_as_they_were_held_within_the_span() -> None:
    held = span(MIDNIGHT - HOUR, MIDNIGHT + 2 * HOUR, milli=2_500)
    (account,) = accounts(held, hours=1)
    assert account.worth.chip_hours == 2.5
    assert accounts(held, since=MIDNIGHT + 2 * HOUR) == []


def test_what_is_held_still_counts_until_the_end_of_the_span() -> None:
    (account,) = accounts(span(MIDNIGHT + HOUR, None), hours=4)
    assert account.worth.chip_hours == 3.0


def test_a_day_gets_what_was_held_on_it() -> None:
    held = span(MIDNIGHT + 23 * HOUR, MIDNIGHT + 49 * HOUR)
    found = accounts(held, by=("day",), hours=72)
    assert [(account.day, account.worth.chip_hours) for account in found] == [
        (date(2026, 11, 21), 1.0),
        (date(2026, 11, 22), 24.0),
        (date(2026, 11, 23), 1.0),
    ]


def test_days_of_any_parts_add_up_to_the_whole_exactly() -> None:
    odd = timedelta(microseconds=1)
    spans = [
        span(
            MIDNIGHT + number * 7 * HOUR + odd * number,
            MIDNIGHT + number * 9 * HOUR + HOUR,
            milli=333,
            user=f"u{number}",
        )
        for number in range(50)
    ]
    (whole,) = accounts(*spans, hours=1_000)
    for by in (("day",), ("user", "day"), ("tenant", "user", "chip", "day")):
        parts = accounts(*spans, by=by, hours=1_000)
        assert sum(part.worth.chip_hours for part in parts) == pytest.approx(whole.worth.chip_hours, abs=1e-9)


def test_accounts_are_told_apart_by_what_was_asked_for() -> None:
    spans = [
        span(MIDNIGHT, MIDNIGHT + HOUR),
        span(MIDNIGHT, MIDNIGHT + HOUR, user="bob"),
        span(MIDNIGHT, MIDNIGHT + HOUR, chip="mlu590"),
        replace(span(MIDNIGHT, MIDNIGHT + HOUR), tenant="beta"),
    ]
    found = accounts(*spans, by=("tenant", "chip"))
    assert [(one.tenant, one.user, one.chip, one.day, one.worth.chip_hours) for one in found] == [
        ("alpha", None, "h100", None, 2.0),
        ("alpha", None, "mlu590", None, 1.0),
        ("beta", None, "h100", None, 1.0),
    ]


def test_compute_is_the_measured_rate_or_else_an_estimate_and_what_has_none_is_told_apart() -> None:
    spans = [span(MIDNIGHT, MIDNIGHT + 10 * HOUR, chip=chip) for chip in ("h100", "mlu590", "mystery", "removed")]
    found = {one.chip: one.worth for one in accounts(*spans, by=("chip",))}
    assert (found["h100"].pflops_hours, found["h100"].is_estimate) == (8.0, False)
    assert (found["mlu590"].pflops_hours, found["mlu590"].is_estimate) == (3.14, True)
    assert (found["mystery"].pflops_hours, found["mystery"].unrated_chip_hours) == (0, 10.0)
    (whole,) = accounts(*spans)
    assert whole.worth.pflops_hours == pytest.approx(11.14)
    assert (whole.worth.is_estimate, whole.worth.chip_hours, whole.worth.unrated_chip_hours) == (True, 40.0, 20.0)


def test_a_job_is_worth_all_that_its_attempts_held() -> None:
    spans = (span(MIDNIGHT, MIDNIGHT + HOUR), span(MIDNIGHT + 2 * HOUR, None))
    worth = held_worth(spans, {chip.name: chip for chip in CHIPS}, until=MIDNIGHT + 3 * HOUR)
    assert (worth.chip_hours, worth.pflops_hours) == (2.0, 1.6)


def test_accounts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 3)
    spans = [span(MIDNIGHT, MIDNIGHT + HOUR, user=f"u{number}") for number in range(4)]
    assert len(accounts(*spans[:3], by=("user",))) == 3
    with pytest.raises(TooManyAccounts):
        accounts(*spans, by=("user",))
